import { beforeAll, describe, expect, it } from "vitest";
import * as sg from "../src/index.ts";
import { backward, type Device, init, openDevice, Tensor, tensor } from "../src/index.ts";
import { EVERY_OP, inputsOf } from "./every-op.ts";
import { randomValues } from "./gradient.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const rows = Object.entries(EVERY_OP);

const flat = (result: unknown): Tensor[] =>
  ([result].flat() as unknown[]).filter((y): y is Tensor => y instanceof Tensor);

/** Exports without a row: no ops, or ops that read no floats of the user's type. */
const OTHERS =
  "arange assign backward cast checkChoice checkOptions compile describeOrigin nearest defaultDevice autocast batchMoments batchNorm cacheFolder cropImages eye " +
  "findNaN fromPixels full generatorOf grad init keep linspace manualSeed measurePeak noGrad normal oneHot ones onesLike " +
  "openDevice pixelSize rand randint randn scope tensor tune uniform valueAndGrad zeros zerosLike";

it("every op has a row", () => {
  const functions = Object.entries(sg).flatMap(([name, value]) =>
    typeof value === "function" && /^[a-z]/.test(name) ? [name] : [],
  );
  const named = new Set([...rows.map(([name]) => name.split(":")[0]!), ...OTHERS.split(" ")]);
  expect([...named].sort()).toEqual(functions.sort());
});

/** Results of another type than the operands': places, truth values, and losses that are kept from overflowing. */
const OF_A_TYPE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(["argmax", "argmin", "argsort"].map((op) => [op, "i32"])),
  ...Object.fromEntries(
    ["all", "any", "isNaN", "equal", "notEqual", "greater", "greaterEqual", "less", "lessEqual"].map((op) => [
      op,
      "f32",
    ]),
  ),
  crossEntropy: "f32",
  maxPool2dWithIndices: "f16 u32",
  sort: "f16 i32",
  topK: "f16 i32",
};

describe("halves give halves", () => {
  it.for(rows)("%s", async ([name, row], { skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const inputs = inputsOf(row, "f16");
    const ys = flat(await row.op(...inputs));
    const wanted = (OF_A_TYPE[name.split(":")[0]!] ?? "f16").split(" ");
    expect(ys.map(({ dtype }) => dtype)).toEqual(ys.map((_, i) => wanted[i % wanted.length]));
    for (const tensor of [...ys, ...inputs]) tensor.dispose();
  });
});

/** NaN gives these a number: a place, a truth value, a sign, or what was not chosen. */
const NO_NAN = [
  ...["all", "allClose", "any", "argmax", "argmin", "argsort", "isNaN", "sign", "where"],
  ...["equal", "notEqual", "greater", "greaterEqual", "less", "lessEqual"],
];

describe("NaN comes through", () => {
  const withNumbers = rows.filter(
    ([name]) => !NO_NAN.includes(name.split(":")[0]!) && !["norm: p 0"].includes(name),
  );

  it.each(withNumbers)("%s, and none comes of numbers", async (name, row) => {
    for (const broken of [undefined, ...row.inputs.keys()]) {
      if (broken !== undefined && "whole" in row.inputs[broken]!) continue;
      const numbers = inputsOf(row, "f32");
      const inputs = numbers.map((x, i) => (i === broken ? sg.full(x.shape, Number.NaN) : x));
      const ys = flat(await row.op(...inputs)).filter(({ dtype }) => dtype === "f32");
      const contents = await Promise.all(ys.map((y) => y.data()));
      const found = contents.flatMap((values) => [...values]).some(Number.isNaN);
      expect(found, broken === undefined ? "of numbers" : `NaN in input ${broken} of ${name}`).toBe(
        broken !== undefined,
      );
      for (const tensor of new Set([...ys, ...inputs, ...numbers])) tensor.dispose();
    }
  });
});

describe("nothing is left to the collector", () => {
  const used = () => device.counts.bytes - device.counts.freeBytes;

  /** Bytes that three calls leave in use; again where the collector has meanwhile freed what other tests forgot. */
  const leftBy = async (calls: () => Promise<void>): Promise<number> => {
    const before = used();
    await calls();
    const left = used() - before;
    return left < 0 ? leftBy(calls) : left;
  };

  it.each(rows)("by %s", async (_, row) => {
    const inputs = inputsOf(row, "f32");
    const call = async () => {
      for (const y of flat(await row.op(...inputs))) y.dispose();
    };
    await call(); // launches keep memory of their own
    const left = await leftBy(async () => {
      for (let i = 0; i < 3; i++) await call();
    });
    expect(left, "bytes in use after three calls").toBe(0);
    for (const x of inputs) x.dispose();
  });

  it.each(rows)("by %s and its gradient", async (_, row) => {
    const inputs = inputsOf(row, "f32", true);
    const call = async (back: boolean) => {
      const ys = flat(await row.op(...inputs));
      for (const y of ys) {
        if (!back || !y.requiresGrad) continue;
        const dy = tensor(randomValues(y.size), y.shape);
        backward(y, dy);
        dy.dispose();
      }
      for (const tensor of [...ys, ...inputs.map(({ grad }) => grad)]) tensor?.dispose();
      for (const x of inputs) x.grad = undefined;
    };
    await call(true);
    const left = await leftBy(async () => {
      for (const back of [true, false, true]) await call(back);
    });
    expect(left, "bytes in use after three calls").toBe(0);
    for (const x of inputs) x.dispose();
  });
});

describe("a mistake is the called op's", () => {
  let other: Device;
  beforeAll(async () => {
    other = await openDevice({ quiet: true });
  });

  const wrong: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    "a promise": () => Promise.resolve() as unknown as Tensor,
    "other sides": () => sg.ones([7, 11]),
    "no axes": () => sg.ones([]),
    "too many axes": () => sg.ones([1, 1, 1, 1, 1, 1]),
    "whole numbers": () => tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]),
    "another device": ({ shape, dtype }) => sg.zeros(shape, { dtype, device: other }),
  };

  it.each(rows)("%s", async (name, row) => {
    const op = name.split(":")[0]!;
    const complaints: string[] = [];
    for (const make of Object.values(wrong)) {
      for (const i of row.inputs.keys()) {
        const inputs = inputsOf(row, "f32");
        const mistaken = inputs.map((x, at) => (at === i ? make(x) : x));
        try {
          for (const y of flat(await row.op(...mistaken))) y.dispose();
        } catch (error) {
          complaints.push((error as Error).message);
        }
        for (const x of new Set([...inputs, ...flat(mistaken)])) x.dispose();
      }
    }
    expect(complaints.length).toBeGreaterThan(0);
    expect(complaints.filter((message) => !message.startsWith(`${op}: `))).toEqual([]);
  });
});

describe("a number is no part of a shader", () => {
  const x = () => sg.full([2, 6], 0.5);
  const labels = () => tensor(Int32Array.of(1, 3));
  const withNumber: Readonly<Record<string, (n: number) => Tensor | Promise<unknown>>> = {
    "add, a number": (n) => sg.add(x(), n),
    "allClose, both tolerances": (n) => sg.allClose(x(), x(), { rtol: n, atol: n }),
    "batchNorm, eps": (eps) => sg.batchNorm(x(), sg.ones([6]), sg.zeros([6]), { training: true, eps }),
    "clamp, both bounds": (n) => sg.clamp(x(), -n, n),
    "crossEntropy, labelSmoothing": (n) => sg.crossEntropy(x(), labels(), { labelSmoothing: n }),
    "crossEntropy, ignoreIndex": (n) => sg.crossEntropy(x(), labels(), { ignoreIndex: Math.round(n * 100) }),
    "dropout, p": (p) => sg.dropout(x(), p),
    "elu, alpha": (alpha) => sg.elu(x(), alpha),
    "full, a value": (n) => sg.full([3], n),
    "huberLoss, delta": (delta) => sg.huberLoss(x(), sg.mul(x(), 3), { delta }),
    "interpolate, scale": (n) =>
      sg.interpolate(x().view([1, 2, 6, 1]), { scale: [2, 1.2 + n / 10], mode: "bilinear" }),
    "layerNorm, eps": (eps) => sg.layerNorm(x(), 1, { eps }),
    "leakyRelu, slope": (slope) => sg.leakyRelu(x(), slope),
    "nllLoss, ignoreIndex": (n) => sg.nllLoss(x(), labels(), { ignoreIndex: Math.round(n * 100) }),
    "norm, p": (n) => sg.norm(x(), 1, { p: 3 + n }),
    "pad, a value": (n) =>
      sg.pad(
        x(),
        [
          [1, 1],
          [0, 0],
        ],
        n,
      ),
    "pow, a number": (n) => sg.pow(x(), n),
    "softplus, beta and threshold": (n) => sg.softplus(x(), { beta: n, threshold: 10 * n }),
    "uniform, both bounds": (n) => sg.uniform([3], -n, n),
    "where, numbers": (n) => sg.where(x(), n, -n),
  };

  it.each(Object.entries(withNumber))("%s", async (_, op) => {
    const call = async (n: number) => {
      const y = await op(n);
      if (!(y instanceof Tensor)) return;
      await y.data();
      y.dispose();
    };
    await call(0.25);
    const { pipelines } = device.counts;
    await call(0.375);
    expect(device.counts.pipelines).toBe(pipelines);
  });
});
