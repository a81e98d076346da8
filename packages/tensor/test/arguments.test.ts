import { beforeAll, describe, expect, it } from "vitest";
import * as sg from "../src/index.ts";
import { init as initial, loadStateDict } from "../src/nn/index.ts";
import { oneCycle } from "../src/optim/index.ts";
import { complaint } from "./complaint.ts";

beforeAll(async () => {
  await sg.init({ quiet: true });
});

const wrong = (value: unknown) => value as never;

describe("an argument that is no number", () => {
  const x = () => sg.tensor([-5, 0.5, 5]);

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
  ])("%s", (message, call) => {
    expect(complaint(call)).toBe(`TypeError: ${message}, not a number.`);
  });

  it("is seen at the launch where no op looks at it", () => {
    const smoothed = () =>
      sg.crossEntropy(sg.ones([1, 2]), sg.tensor(Int32Array.of(0)), { labelSmoothing: wrong("0.1") });
    expect(complaint(smoothed)).toBe(
      "KernelError: crossEntropy: parameter smoothing is a string, not a number",
    );
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
});
