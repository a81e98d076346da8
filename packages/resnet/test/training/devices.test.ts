import { type Device, init, manualSeed, mul, openDevice, type Tensor, tensor } from "@shadegrad/tensor";
import { Linear, stateDict } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evaluateModel, ImageSet, train } from "../../src/index.ts";
import { colours } from "./small.ts";

let device: Device;
beforeAll(async () => {
  await init({ quiet: true });
  device = await openDevice({ quiet: true });
});
afterAll(() => device.destroy());

/** A linear model on a device that is not the default one. */
class Elsewhere {
  readonly linear = new Linear(192, 3, { device });
  forward(x: Tensor): Tensor {
    return this.linear.forward(x.view([x.shape[0]!, 192]));
  }
}

it.for(["f32", "f16"] as const)(
  "a model on another device than the default one is trained and evaluated in %s",
  async (precision, { skip }) => {
    skip(precision === "f16" && !device.adapter.features.has("shader-f16"), "no shader-f16");
    manualSeed(1);
    const model = new Elsewhere();
    const [data, validation] = [colours(24), colours(12, 2)];
    const optimizer = new SGD(model, { lr: 0.01 });
    const options = { model, data, validation, optimizer, batchSize: 8, epochs: 4, precision };
    const { epochs } = await train({ ...options, onProgress: () => {} });
    expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss);
    expect(epochs.at(-1)!.validation!.loss).toBeLessThan(epochs[0]!.validation!.loss);
    for (const [, { device: its }] of stateDict(model)) expect(its).toBe(device);
    expect((await evaluateModel(model, validation, { batchSize: 5 })).images).toBe(12);
  },
);

it("an evaluation that ends early leaves no tensor behind", async () => {
  const home = await init({ quiet: true });
  const images = new ImageSet({
    images: new Float32Array(8 * 6),
    labels: new Uint8Array(8),
    shape: [1, 1, 6],
    classes: ["a", "b", "c", "d", "e", "f"],
  });
  const weight = tensor([1]);
  const model = { weight, forward: (x: Tensor) => mul(x.view([x.shape[0]!, 6]), weight) };
  const used = () => home.counts.bytes - home.counts.freeBytes;
  const fails = () =>
    evaluateModel(model, images, {
      batchSize: 2,
      onProgress: () => {
        throw new Error("enough");
      },
    });
  await expect(fails()).rejects.toThrow("enough");
  const before = used();
  await expect(fails()).rejects.toThrow("enough");
  const controller = new AbortController();
  await evaluateModel(model, images, {
    batchSize: 2,
    signal: controller.signal,
    onProgress: () => controller.abort(),
  });
  expect(used()).toBe(before);
});
