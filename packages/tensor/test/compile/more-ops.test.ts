import { beforeAll, expect, test } from "vitest";
import {
  adaptiveAvgPool2d,
  backward,
  compile,
  cumsum,
  diag,
  einsum,
  init,
  interpolate,
  layerNorm,
  logSumExp,
  manualSeed,
  mul,
  norm,
  pad,
  randn,
  roll,
  sum,
  type Tensor,
  topK,
  tril,
} from "../../src/index.ts";
import { parameter } from "../../src/nn/index.ts";
import { relativeError } from "../compare.ts";

beforeAll(async () => {
  await init();
  manualSeed(7);
});

const matrices: Record<string, (x: Tensor) => Tensor> = {
  topK: (x) => topK(x, 3).values,
  cumsum: (x) => cumsum(x),
  roll: (x) => roll(x, 2, 1),
  tril: (x) => tril(x),
  diag: (x) => diag(x, 1),
  layerNorm: (x) => layerNorm(x),
  logSumExp: (x) => logSumExp(x, 1),
  norm: (x) => norm(x, 0),
  einsum: (x) => einsum("ij,kj->ik", x, x),
};
const images: Record<string, (x: Tensor) => Tensor> = {
  "pad reflect": (x) =>
    pad(
      x,
      [
        [0, 0],
        [1, 2],
        [2, 1],
        [0, 0],
      ],
      "reflect",
    ),
  interpolate: (x) => interpolate(x, { size: [7, 3], mode: "bilinear" }),
  adaptiveAvgPool2d: (x) => adaptiveAvgPool2d(x, [3, 2]),
};
const cases = [
  ...Object.entries(matrices).map(([name, f]) => [name, f, [4, 6]] as const),
  ...Object.entries(images).map(([name, f]) => [name, f, [2, 5, 4, 3]] as const),
];

test.each(cases)("%s gives the same compiled, and so does its gradient", async (_, f, shape) => {
  const w = parameter(randn(shape));
  const step = () => {
    const y = f(w);
    backward(sum(mul(y, y)));
    const gradient = w.grad!;
    w.grad = undefined;
    return gradient;
  };
  const eager = await step().data();
  const compiled = compile(step);
  for (let i = 0; i < 2; i++)
    expect(relativeError(await (await compiled()).data(), eager)).toBeLessThan(1e-6);
  compiled.dispose();
  w.dispose();
});
