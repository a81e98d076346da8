import { beforeAll, describe, expect, it } from "vitest";
import * as sg from "../src/index.ts";
import { backward, init, scope, type Tensor, tensor } from "../src/index.ts";
import { relativeError } from "./compare.ts";
import { fixturesOf, loadFixture } from "./fixture.ts";

type Inputs = Readonly<Record<string, Tensor>>;
type Attrs = Readonly<Record<string, never>>;
/** y, and under the fixture's names what else the op leaves behind. */
type Result = { y: Tensor } & Record<string, Tensor>;

const unary =
  (f: (x: Tensor) => Tensor) =>
  ({ x }: Inputs): Result => ({ y: f(x!) });
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor) =>
  ({ a, b }: Inputs): Result => ({ y: f(a!, b!) });

/** The call of each op of the fixtures. To add an op: its function, and a row here. */
const table: Record<string, (inputs: Inputs, attrs: Attrs) => Result> = {
  add: binary(sg.add),
  sub: binary(sg.sub),
  mul: binary(sg.mul),
  div: binary(sg.div),
  matmul: binary(sg.matmul),
  relu: unary(sg.relu),
  exp: unary(sg.exp),
  log: unary(sg.log),
  sqrt: unary(sg.sqrt),
  sigmoid: unary(sg.sigmoid),
  tanh: unary(sg.tanh),
  sum: ({ x }, { axes, keepdims }) => ({ y: sg.sum(x!, axes, { keepdims }) }),
  mean: ({ x }, { axes, keepdims }) => ({ y: sg.mean(x!, axes, { keepdims }) }),
  softmax: ({ x }, { axis }) => ({ y: sg.softmax(x!, axis) }),
  log_softmax: ({ x }, { axis }) => ({ y: sg.logSoftmax(x!, axis) }),
  linear: ({ x, w, b }) => ({ y: sg.linear(x!, w!, b) }),
  conv2d: ({ x, w, b }, options) => ({ y: sg.conv2d(x!, w!, { ...options, ...(b && { bias: b }) }) }),
  max_pool2d: ({ x }, { kernel, stride, padding }) => ({
    y: sg.maxPool2d(x!, { kernel: kernel!, stride, padding }),
  }),
  avg_pool2d: ({ x }, { kernel, stride }) => ({ y: sg.avgPool2d(x!, { kernel: kernel!, stride }) }),
  cross_entropy: ({ x, labels }, { reduction, label_smoothing }) => ({
    y: sg.crossEntropy(x!, labels!, { reduction, labelSmoothing: label_smoothing }),
  }),
  batch_norm: ({ x, gamma, beta, running_mean, running_var }, { training, momentum, eps }) => ({
    y: sg.batchNorm(x!, gamma!, beta!, {
      runningMean: running_mean!,
      runningVar: running_var!,
      training,
      momentum,
      eps,
    }),
    // Updated in place.
    running_mean_after: running_mean!,
    running_var_after: running_var!,
  }),
  reshape: ({ x }, { shape }) => ({ y: sg.reshape(x!, shape!) }),
  transpose: ({ x }, { perm }) => ({ y: sg.permute(x!, perm!) }),
  pad: ({ x }, { padding, value }) => ({ y: sg.pad(x!, padding!, value) }),
  slice: ({ x }, { starts, ends, steps }) => ({ y: sg.slice(x!, starts!, ends, steps) }),
  concat: (inputs, { axis }) => ({ y: sg.concat(Object.values(inputs), axis) }),
};

/** Stored, but nothing that an op hands out: batch norm's gradient proves them. */
const INTERNAL = ["saved_mean", "saved_var"];

beforeAll(async () => {
  await init();
});

it("has a row for every op of the fixtures", () => {
  expect(Object.keys(table).sort()).toEqual([...new Set(fixturesOf("ops").map(({ op }) => op))].sort());
});

describe("PyTorch's answers", () => {
  it.each(fixturesOf("ops"))("$file within $tol", async ({ file, op, tol }) => {
    const { attrs, tensors } = await loadFixture(file);
    const isGradient = (name: string) =>
      name === "dy" || (name.startsWith("d") && tensors.has(name.slice(1)));
    const isResult = (name: string) => name === "y" || name.endsWith("_after") || isGradient(name);
    const inputs = Object.fromEntries(
      [...tensors]
        .filter(([name]) => !isResult(name) && !INTERNAL.includes(name))
        .map(([name, { shape, data }]) => {
          const requiresGrad = tensors.has(`d${name}`);
          return [name, tensor(data, shape, { requiresGrad })];
        }),
    );
    const results = scope(() => {
      const made = table[op]!(inputs, attrs as Attrs);
      if (tensors.has("dy")) backward(made.y, tensor(tensors.get("dy")!.data, made.y.shape));
      return made;
    });

    const compared: string[] = [];
    for (const [name, { shape, data }] of tensors) {
      const found =
        name in results ? results[name] : name.startsWith("d") ? inputs[name.slice(1)]?.grad : undefined;
      if (!found) continue;
      expect(found.shape, `shape of ${name}`).toEqual(shape);
      const error = relativeError(await found.data(), data);
      expect(error, `${name} is off by ${error}`).toBeLessThanOrEqual(tol);
      compared.push(name);
    }
    const expected = [...tensors.keys()].filter((name) => name !== "dy" && isResult(name));
    expect(compared.sort()).toEqual(expected.sort());
    for (const each of [...Object.values(inputs), results.y]) each.dispose();
  });
});
