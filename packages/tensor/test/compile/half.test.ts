import { beforeAll, beforeEach, expect, it } from "vitest";
import {
  add,
  assign,
  autocast,
  cast,
  compile,
  init,
  manualSeed,
  mean,
  mul,
  noGrad,
  relu,
  sub,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, evaluate, Linear } from "../../src/nn/index.ts";
import { relativeError } from "../compare.ts";

let canHalve = false;
beforeAll(async () => {
  canHalve = (await init({ quiet: true })).adapter.features.has("shader-f16");
});
beforeEach(({ skip }) => skip(!canHalve, "no shader-f16"));

const wave = (length: number, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const image = (seed: number) => tensor(wave(2 * 7 * 6 * 8, seed), [2, 7, 6, 8]);

/** conv + norm + relu, and a shortcut around a second one; the first convolution's output is `size` times as large. */
function net(size: number) {
  manualSeed(1);
  const [conv1, conv2] = [
    new Conv2d(8, 8, 3, { padding: 1 }),
    new Conv2d(8, 8, 3, { padding: 1, bias: false }),
  ];
  const [bn1, bn2] = [new BatchNorm2d(8, { eps: 0 }), new BatchNorm2d(8)];
  const fc = new Linear(8, 3);
  assign(
    conv1.weight,
    wave(8 * 8 * 9).map((value) => size * value),
  );
  assign(
    conv1.bias!,
    wave(8, 5).map((value) => size * value),
  );
  for (const [i, { weight, bias, runningMean, runningVar }] of [bn1, bn2].entries()) {
    const unit = i === 0 ? size : 1;
    assign(weight, wave(8, i + 2));
    assign(bias, wave(8, i + 3));
    assign(
      runningMean,
      wave(8, i + 4).map((value) => unit * value),
    );
    assign(
      runningVar,
      wave(8, i + 5).map((value) => unit * unit * (20 + value * value)),
    );
  }
  const parts = { conv1, conv2, bn1, bn2, fc };
  return evaluate({
    ...parts,
    forward(x: Tensor): Tensor {
      const y = relu(bn1.forward(conv1.forward(x)));
      return fc.forward(mean(relu(add(bn2.forward(conv2.forward(y)), y)), [1, 2]));
    },
  });
}

const predicting = (model: { forward(x: Tensor): Tensor }, precision: "f16" | "f32") => (x: Tensor) =>
  autocast(precision, () => noGrad(() => model.forward(x)));

it("weights are cast once, and again when they change", async () => {
  const model = net(1);
  using half = compile(predicting(model, "f16"));
  const full = predicting(model, "f32");
  for (const seed of [1, 2]) {
    const x = image(seed);
    const y = await half(x);
    expect(y.dtype).toBe("f16");
    expect(relativeError(await y.data(), await full(x).data())).toBeLessThan(5e-3);
  }
  // Casts of the image and of the means, two convolutions, the mean, the linear layer.
  expect(half.plan).toMatchObject({ launches: 6 });
  const before = await (await half(image(1))).data();
  assign(model.conv2.weight, wave(8 * 8 * 9, 5));
  const after = await (await half(image(1))).data();
  expect(relativeError(after, await full(image(1)).data())).toBeLessThan(5e-3);
  expect(relativeError(after, before)).toBeGreaterThan(0.01);
});

it.each([2 ** -24, 2 ** 20])(
  "batch norm is folded into weights before they are rounded: those around %d, which f16 cannot hold, it can then",
  async (size) => {
    const model = net(size);
    using half = compile(predicting(model, "f16"));
    const x = image(3);
    const expected = await predicting(model, "f32")(x).data();
    expect(relativeError(await (await half(x)).data(), expected)).toBeLessThan(5e-3);
    // Without folding they are lost.
    const eager = await predicting(model, "f16")(x).data();
    expect(relativeError(eager, expected)).not.toBeLessThan(0.02);
  },
);

it("elementwise ops in f16 become one as well, which rounds once", async () => {
  using f = compile((x: Tensor, y: Tensor) => relu(sub(add(mul(x, y), x), y)));
  const [x, y] = [1, 2].map((seed) => tensor(wave(36, seed), [9, 4], { dtype: "f16" })) as [Tensor, Tensor];
  const z = await f(x, y);
  expect(z.dtype).toBe("f16");
  expect(relativeError(await z.data(), await relu(sub(add(mul(x, y), x), y)).data())).toBeLessThan(1e-3);
  expect(f.plan).toMatchObject({ launches: 1, merged: 3 });
});

it("and those of several types", async () => {
  using f = compile((x: Tensor, y: Tensor) => cast(add(mul(x, x), y), "f16"));
  const [x, y] = [tensor(wave(15), [5, 3], { dtype: "f16" }), tensor(wave(15, 2), [5, 3])];
  const z = await f(x, y);
  expect(z.dtype).toBe("f16");
  expect(relativeError(await z.data(), await cast(add(mul(x, x), y), "f16").data())).toBeLessThan(1e-3);
  expect(f.plan).toMatchObject({ launches: 1, merged: 2 });
});
