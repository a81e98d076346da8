import { autocast, compile, init, manualSeed, noGrad, scope, type Tensor, tensor } from "@shadegrad/tensor";
import { evaluate, train } from "@shadegrad/tensor/nn";
import { expect, it } from "vitest";
import { evaluateModel, ImageSet, resnet18 } from "../src/index.ts";

const noise = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => {
    const value = Math.sin(seed + 12.9898 * i) * 43758.5453;
    return 2 * (value - Math.floor(value)) - 1;
  });

it("a ResNet-18 in f16 has the scores that it has in f32, and the same first places", async ({ skip }) => {
  const device = await init({ quiet: true });
  skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
  manualSeed(3);
  const model = resnet18({ classes: 10 });
  const side = 40;
  // Statistics as after a while of training.
  train(model);
  for (let i = 0; i < 12; i++) {
    scope(() => noGrad(() => model.forward(tensor(noise(4 * side * side * 3, i), [4, side, side, 3]))));
  }
  evaluate(model);
  const images = noise(8 * side * side * 3, 99);
  const data = new ImageSet({
    images,
    labels: new Uint8Array(8),
    shape: [side, side, 3],
    classes: [..."abcdefghij"],
  });
  const judge = async (precision: "f16" | "f32") => {
    const { logits } = await evaluateModel(model, data, { batchSize: 4, precision, logits: true });
    return logits!;
  };
  const [half, full] = [await judge("f16"), await judge("f32")];
  const norm = (values: Float32Array) => Math.hypot(...values);
  const error = norm(half.map((score, i) => score - full[i]!)) / norm(full);
  expect(error).toBeLessThan(1e-2);
  expect(error, "f16 was computed with").toBeGreaterThan(0);
  expect(firsts(half)).toEqual(firsts(full));
  expect(new Set(firsts(full)).size, "images that differ").toBeGreaterThan(1);

  // Folded and merged as in f32: two launches more, which cast the image and its features.
  const launches = async (precision: "f16" | "f32") => {
    using predict = compile((x: Tensor) => autocast(precision, () => noGrad(() => model.forward(x))));
    using x = tensor(images.subarray(0, side * side * 3), [1, side, side, 3]);
    (await predict(x)).dispose();
    return predict.plan!.launches;
  };
  expect(await launches("f16")).toBe((await launches("f32")) + 2);
});

const firsts = (logits: Float32Array): number[] =>
  Array.from({ length: 8 }, (_, n) => {
    const own = [...logits.subarray(10 * n, 10 * n + 10)];
    return own.indexOf(Math.max(...own));
  });
