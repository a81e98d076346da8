import { beforeAll, describe, expect, it } from "vitest";
import * as sg from "../src/index.ts";
import {
  ConvTranspose2d,
  Dropout,
  GroupNorm,
  init as initial,
  LayerNorm,
  loadEntries,
  loadStateDict,
  ReLU,
  Sequential,
  Upsample,
} from "../src/nn/index.ts";
import {
  Adam,
  clipGradNorm,
  cosine,
  LossScaler,
  multiStep,
  oneCycle,
  plateau,
  SGD,
  warmup,
} from "../src/optim/index.ts";
import { complaint } from "./complaint.ts";

beforeAll(async () => {
  await sg.init({ quiet: true });
});

const wrong = (value: unknown) => value as never;

describe("an argument that is no number", () => {
  const x = () => sg.tensor([-5, 0.5, 5]);
  const w = () => sg.ones([1], { requiresGrad: true });

  it.each<[string, () => unknown]>([
    ["clamp: min is a string", () => sg.clamp(x(), wrong("-1"), 1)],
    ["clamp: max is null", () => sg.clamp(x(), 0, wrong(null))],
    ["leakyRelu: slope is a string", () => sg.leakyRelu(x(), wrong("0.1"))],
    ["elu: alpha is a string", () => sg.elu(x(), wrong("1"))],
    ["elu: alpha is a bigint", () => sg.elu(x(), wrong(1n))],
    ["softplus: beta is a string", () => sg.softplus(x(), { beta: wrong("1") })],
    ["softplus: threshold is a string", () => sg.softplus(x(), { threshold: wrong("1") })],
    ["huberLoss: delta is a string", () => sg.huberLoss(x(), x(), { delta: wrong("1") })],
    ["norm: p is a string", () => sg.norm(x(), 0, { p: wrong("3") })],
    ["pad: value is a boolean", () => sg.pad(x(), [[1, 1]], wrong(true))],
    ["full: value is a string", () => sg.full([2], wrong("3"))],
    ["full: value is a bigint", () => sg.full([2], wrong(3n))],
    ["full: value is undefined", () => sg.full([2], wrong(undefined))],
    ["arange: end is a string", () => sg.arange(0, wrong("3"))],
    ["arange: end is a bigint", () => sg.arange(wrong(3n))],
    ["linspace: start is a string", () => sg.linspace(wrong("0"), 1, 3)],
    ["uniform: low is a string", () => sg.uniform([2], wrong("0"), 1)],
    ["normal: mean is a string", () => sg.normal([2], wrong("0"), 1)],
    ["normal: std is a string", () => sg.normal([2], 0, wrong("1"))],
    ["dropout: p is a symbol", () => sg.dropout(x(), wrong(Symbol()))],
    ["SGD: lr is a string", () => new SGD([w()], { lr: wrong("0.1") })],
    ["SGD: lr is a bigint", () => (new SGD([w()], { lr: 1 }).lr = wrong(1n))],
    ["Adam: betas[1] is a string", () => new Adam([w()], { betas: [0.9, wrong("0.9")] })],
    ["LossScaler: initial is a string", () => new LossScaler({ initial: wrong("8") })],
    ["LossScaler: interval is a symbol", () => new LossScaler({ interval: wrong(Symbol()) })],
    ["clipGradNorm: the limit is a string", () => clipGradNorm([w()], wrong("1"))],
    ["plateau: lr is a string", () => plateau({ lr: wrong("0.1") })],
    ["plateau: factor is a string", () => plateau({ lr: 1, factor: wrong("0.1") })],
    ["cosine: steps is a string", () => cosine({ lr: 1, steps: wrong("3") })],
    ["multiStep: milestones[1] is a string", () => multiStep({ lr: 1, milestones: [1, wrong("3")] })],
    ["oneCycle: divFactor is a string", () => oneCycle({ lr: 1, steps: 3, divFactor: wrong("25") })],
    ["warmup: steps is a bigint", () => warmup((step) => step, { steps: wrong(3n) })],
  ])("%s", (message, call) => {
    expect(complaint(call)).toBe(`TypeError: ${message}, not a number.`);
  });

  it("is seen at the launch where no op looks at it", () => {
    const smoothed = () =>
      sg.crossEntropy(sg.ones([1, 2]), sg.tensor(Int32Array.of(0)), { labelSmoothing: wrong("0.1") });
    expect(complaint(smoothed)).toBe("KernelError: crossEntropy: parameter smoothing is 0.1, a string");
  });

  it("rejects a tolerance", async () => {
    await expect(sg.allClose(x(), x(), { rtol: wrong("1") })).rejects.toThrow(
      "allClose: rtol is a string, not a number.",
    );
  });
});

describe("a choice that there is not", () => {
  const x = () => sg.ones([2, 3]);
  const labels = () => sg.tensor(Int32Array.of(0, 1));

  it.each<[string, (reduction: never) => unknown]>([
    ["crossEntropy", (reduction) => sg.crossEntropy(x(), labels(), { reduction })],
    ["nllLoss", (reduction) => sg.nllLoss(x(), labels(), { reduction })],
    ["mseLoss", (reduction) => sg.mseLoss(x(), x(), { reduction })],
    ["l1Loss", (reduction) => sg.l1Loss(x(), x(), { reduction })],
    ["huberLoss", (reduction) => sg.huberLoss(x(), x(), { reduction })],
    ["bceWithLogits", (reduction) => sg.bceWithLogits(x(), x(), { reduction })],
  ])("reduction of %s", (op, loss) => {
    for (const reduction of ["Mean", "SUM", "", null])
      expect(complaint(() => loss(wrong(reduction)))).toBe(
        `RangeError: ${op}: reduction is ${reduction}; there are mean, sum, none.`,
      );
  });

  it("modes of initial values, schedules and states", () => {
    const w = sg.ones([2, 2]);
    expect(complaint(() => initial.kaimingNormal(w, { mode: wrong("fanin") }))).toBe(
      "RangeError: kaimingNormal: mode is fanin; there are fanIn, fanOut.",
    );
    expect(complaint(() => initial.kaimingUniform(w, { nonlinearity: wrong("ReLU") }))).toBe(
      "RangeError: kaimingUniform: nonlinearity is ReLU; there are linear, sigmoid, tanh, relu, selu, leakyRelu.",
    );
    expect(complaint(() => oneCycle({ lr: 1, steps: 3, anneal: wrong("Linear") }))).toBe(
      "RangeError: oneCycle: anneal is Linear; there are cosine, linear.",
    );
    expect(complaint(() => loadStateDict({}, new Map(), { layout: wrong("Torch") }))).toBe(
      "RangeError: loadStateDict: layout is Torch; there are engine, torch.",
    );
  });

  it("the layout of an open file", async () => {
    await expect(loadEntries({}, new Map(), { layout: wrong("Torch") })).rejects.toThrow(
      "loadEntries: layout is Torch; there are engine, torch.",
    );
  });
});

describe("a type that there is not", () => {
  const dtype = wrong("float32");
  const calls: Record<string, () => unknown> = {
    tensor: () => sg.tensor([1], { dtype }),
    zeros: () => sg.zeros([1], { dtype }),
    full: () => sg.full([1], 2, { dtype }),
    arange: () => sg.arange(3, { dtype }),
    linspace: () => sg.linspace(0, 1, 3, { dtype }),
    uniform: () => sg.rand([1], { dtype }),
    normal: () => sg.randn([1], { dtype }),
    eye: () => sg.eye(2, 2, { dtype }),
    cast: () => sg.cast(sg.ones([1]), dtype),
  };

  it.each(Object.entries(calls))("%s", async (op, call) => {
    expect(complaint(call)).toBe(`RangeError: ${op}: dtype is float32; there are f32, f16, i32, u32.`);
    // Later ops were refused by the driver.
    expect(await sg.add(sg.ones([1]), 1).item()).toBe(2);
  });

  it("is no precision either", () => {
    expect(complaint(() => sg.autocast(wrong("float16"), () => 1))).toBe(
      "RangeError: autocast: precision is float16; there are f32, f16.",
    );
  });

  it("has no gradient in an identity of whole numbers", () => {
    expect(complaint(() => sg.eye(2, 2, { dtype: "i32", requiresGrad: true }))).toMatch(
      /^ShapeError: eye: i32 has no gradient/,
    );
  });
});

describe("things that are something else", () => {
  it("layers of a sequence", () => {
    expect(complaint(() => new Sequential(wrong(5)))).toBe(
      "TypeError: Sequential: layer 0 is a number, neither a layer nor a function.",
    );
    expect(complaint(() => new Sequential(new ReLU(), wrong([new ReLU()])))).toBe(
      "TypeError: Sequential: layer 1 is an array, neither a layer nor a function.",
    );
    expect(complaint(() => new Sequential(wrong(null)))).toMatch("layer 0 is null");
  });

  it.each([0, null, false])("a bias that is %s", (bias) => {
    const x = sg.ones([1, 2, 2, 1]);
    const w = sg.ones([1, 1, 1, 1]);
    const kind = bias === null ? "null" : `a ${typeof bias}`;
    for (const op of [sg.conv2d, sg.convTranspose2d])
      expect(complaint(() => op(x, w, { bias: wrong(bias) }))).toBe(
        `TypeError: ${op.name}: bias is ${kind}, not a tensor.`,
      );
    expect(complaint(() => sg.linear(sg.ones([1, 1]), sg.ones([1, 1]), wrong(bias)))).toBe(
      `TypeError: linear: b is ${kind}, not a tensor.`,
    );
    expect(complaint(() => sg.bceWithLogits(x, x, { posWeight: wrong(bias) }))).toBe(
      `TypeError: bceWithLogits: posWeight is ${kind}, not a tensor.`,
    );
  });
});

it("a size that no device has is told with the op, in units that fit", () => {
  const x = sg.ones([1, 2, 2, 1]);
  const w = sg.ones([1, 1, 1, 1]);
  expect(complaint(() => sg.conv2d(x, w, { padding: 1e9 }))).toMatch(
    /^DeviceError: conv2d: a tensor f32 \[1, 2000000002, 2000000002, 1\] needs 13\.9 EiB; this device binds at most [\d.]+ [MG]iB\.$/,
  );
  const copies = {
    broadcastTo: () => sg.broadcastTo(sg.ones([1]), [1e6, 1e6]),
    tile: () => sg.tile(x, [1e6, 1e6, 1, 1]),
  };
  for (const [op, call] of Object.entries(copies))
    expect(complaint(call)).toMatch(new RegExp(`^DeviceError: ${op}: a tensor f32 `));
  expect(complaint(() => sg.zeros([1e6, 1e6]))).toMatch(/^DeviceError: zeros: a tensor .* needs 3\.64 TiB;/);
});

describe("numbers out of range", () => {
  const x = () => sg.ones([2, 3]);
  const c = () => sg.ones([3]);

  it.each<[string, () => unknown]>([
    ["layerNorm: eps is -1, not a number ≥ 0.", () => sg.layerNorm(x(), 1, { eps: -1 })],
    ["groupNorm: eps is NaN, not a number ≥ 0.", () => sg.groupNorm(x(), 1, { eps: Number.NaN })],
    [
      "batchNorm: eps is NaN, not a number ≥ 0.",
      () => sg.batchNorm(x(), c(), c(), { training: true, eps: Number.NaN }),
    ],
    ["LayerNorm: eps is -1, not a number ≥ 0.", () => new LayerNorm(3, { eps: -1 })],
    ["GroupNorm: eps is -1, not a number ≥ 0.", () => new GroupNorm(1, 3, { eps: -1 })],
    ["normal: std is -1, not a number ≥ 0.", () => sg.normal([2], 0, -1)],
    ["dropout: p is 1.5, not in [0, 1].", () => sg.dropout(x(), 1.5)],
    ["Dropout: p is 1.5, not in [0, 1].", () => new Dropout(1.5)],
    ["manualSeed: NaN is not a whole number from 0 to 2⁵³ − 1.", () => sg.manualSeed(Number.NaN)],
    ["Upsample: scale is [0,0], not numbers above 0.", () => new Upsample({ scale: 0 })],
    ["Upsample: either size or scale has to be given.", () => new Upsample({})],
    [
      "Upsample: there is no mode cubic; there are nearest, bilinear.",
      () => new Upsample({ size: 2, mode: wrong("cubic") }),
    ],
    [
      "ConvTranspose2d: stride is [0,0], not whole numbers ≥ 1 for [rows, columns].",
      () => new ConvTranspose2d(1, 1, 2, { stride: 0 }),
    ],
    [
      "ConvTranspose2d: outputPadding is [1,1] but the stride only [1,1].",
      () => new ConvTranspose2d(1, 1, 2, { outputPadding: 1 }),
    ],
  ])("%s", (message, call) => {
    expect(complaint(call)).toBe(`RangeError: ${message}`);
  });
});
