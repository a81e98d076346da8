import { beforeAll, describe, expect, test } from "vitest";
import {
  adaptiveAvgPool2d,
  atan2,
  avgPool2d,
  backward,
  bceWithLogits,
  type ConvTranspose2dOptions,
  convTranspose2d,
  elu,
  erf,
  groupNorm,
  huberLoss,
  init,
  interpolate,
  l1Loss,
  layerNorm,
  logSoftmax,
  logSumExp,
  maxPool2d,
  mul,
  nllLoss,
  norm,
  permute,
  prod,
  scope,
  softplus,
  std,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { relativeError } from "../compare.ts";
import answers from "../fixtures/ops.json";

beforeAll(async () => {
  await init();
});

const targets = () => tensor(Int32Array.of(0, 4, 2, 2));
const turned =
  (options: ConvTranspose2dOptions) =>
  (x: Tensor, w: Tensor, bias: Tensor): Tensor =>
    convTranspose2d(x, permute(w, [2, 3, 1, 0]), { ...options, bias });

/** The same op here, by the name of the case in scripts/fixtures/ops.py. */
const ops: Record<string, (...x: readonly [Tensor, Tensor, Tensor]) => Tensor> = {
  ...Object.fromEntries(
    (
      [
        [9, 4],
        [5, 13],
        [2, 2],
      ] as const
    ).flatMap((size) =>
      (["nearest None", "bilinear False", "bilinear True"] as const).map((kind) => {
        const [mode, corners] = kind.split(" ") as ["nearest" | "bilinear", string];
        const name = `interpolate size (${size.join(", ")}) ${kind}`;
        return [name, (x: Tensor) => interpolate(x, { size, mode, alignCorners: corners === "True" })];
      }),
    ),
  ),
  "interpolate scale nearest": (x) => interpolate(x, { scale: 1.5 }),
  "interpolate scale bilinear": (x) => interpolate(x, { scale: 1.5, mode: "bilinear" }),
  ...Object.fromEntries(
    (
      [
        [2, 3],
        [5, 7],
        [7, 9],
        [1, 1],
      ] as const
    ).map((size) => [`adaptiveAvgPool2d (${size.join(", ")})`, (x: Tensor) => adaptiveAvgPool2d(x, size)]),
  ),
  "maxPool2d ceil": (x) => maxPool2d(x, { kernel: 3, stride: 2, ceilMode: true }),
  "maxPool2d ceil padded": (x) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  "avgPool2d ceil": (x) => avgPool2d(x, { kernel: 3, stride: 2, ceilMode: true }),
  "avgPool2d ceil padded": (x) => avgPool2d(x, { kernel: 3, stride: 2, padding: 1, ceilMode: true }),
  "avgPool2d ceil uncounted": (x) =>
    avgPool2d(x, { kernel: 3, stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  convTranspose2d: turned({}),
  "convTranspose2d stride": turned({ stride: 2, padding: 1, outputPadding: 1 }),
  "convTranspose2d groups": turned({ stride: [2, 1], dilation: 2, groups: 2 }),
  "nllLoss mean": (x) => nllLoss(logSoftmax(x), targets()),
  "nllLoss sum": (x) => nllLoss(logSoftmax(x), targets(), { reduction: "sum" }),
  "nllLoss ignore": (x) => nllLoss(logSoftmax(x), targets(), { ignoreIndex: 2 }),
  huberLoss: (x, y) => huberLoss(x, y, { delta: 0.7 }),
  l1Loss: (x, y) => l1Loss(x, y),
  bceWithLogits: (x, y) => bceWithLogits(mul(x, 20), y),
  "bceWithLogits weighted": (x, y) =>
    bceWithLogits(x, y, { posWeight: tensor([0.5, 1, 2, 3, 4]), reduction: "none" }),
  softplus: (x) => softplus(mul(x, 15), { beta: 0.5, threshold: 3 }),
  elu: (x) => elu(x, 0.6),
  logSumExp: (x) => logSumExp(x, 1),
  std: (x) => std(x, [0, 2]),
  "norm 3": (x) => norm(x, 1, { p: 3 }),
  prod: (x) => prod(x, 1),
  erf: (x) => erf(x),
  atan2: (y, x) => atan2(y, x),
  layerNorm: (x, weight, bias) => layerNorm(x, 1, { weight, bias }),
  groupNorm: (x, weight, bias) => groupNorm(x, 2, { weight, bias }),
};

describe("values and gradients are PyTorch's", () => {
  test("every case has its op", () => {
    expect(answers.map(({ name }) => name).sort()).toEqual(Object.keys(ops).sort());
  });

  test.each(answers)("$name", async ({ name, inputs, y: wanted, gradients }) => {
    const leaves = inputs.map(({ values, shape }, i) =>
      tensor(values, shape, { requiresGrad: gradients[i] !== null }),
    );
    const y = scope(() => {
      const y = ops[name]!(...(leaves as unknown as [Tensor, Tensor, Tensor]));
      const dy = Float32Array.from({ length: y.size }, (_, i) => (i + 1) / y.size);
      backward(y, tensor(dy, y.shape));
      return y;
    });
    expect(y.shape).toEqual(wanted.shape);
    expect(relativeError(await y.data(), wanted.values)).toBeLessThan(2e-6);
    for (const [i, gradient] of gradients.entries()) {
      if (gradient) expect(relativeError(await leaves[i]!.grad!.data(), gradient.values)).toBeLessThan(5e-6);
    }
    for (const tensor of [y, ...leaves]) tensor.dispose();
  });
});
