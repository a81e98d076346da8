import { init, mul, type Tensor, tensor } from "@shadegrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { evaluateModel, ImageSet } from "../../src/index.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

describe("evaluateModel", () => {
  const images = new ImageSet({
    images: Float32Array.from({ length: 7 * 6 }, (_, i) => Math.sin(3 * i)),
    labels: Uint8Array.of(0, 1, 2, 3, 4, 5, 0),
    shape: [1, 1, 6],
    classes: ["a", "b", "c", "d", "e", "f"],
  });
  /** The image is its own scores, but for a weight of 1. */
  const identity = () => {
    const weight = tensor([1]);
    return { weight, forward: (x: Tensor) => mul(x.view([x.shape[0]!, 6]), weight) };
  };

  it("counts as the definition does, with a last batch of what is left", async () => {
    const found = await evaluateModel(identity(), images, { batchSize: 3, logits: true });
    const rows = Array.from({ length: 7 }, (_, n) => [...images.images.subarray(6 * n, 6 * n + 6)]);
    let [loss, top1, top5] = [0, 0, 0];
    const confusion = new Uint32Array(36);
    rows.forEach((row, n) => {
      const label = images.labels[n]!;
      const rank = row.filter((score) => score > row[label]!).length;
      top1 += Number(rank === 0);
      top5 += Number(rank < 5);
      loss += Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0)) - row[label]!;
      confusion[6 * label + row.indexOf(Math.max(...row))]!++;
    });
    expect(found).toMatchObject({ images: 7, top1: top1 / 7, top5: top5 / 7, classes: images.classes });
    expect(found.loss).toBeCloseTo(loss / 7, 6);
    expect(found.confusion).toEqual(confusion);
    expect(found.logits).toEqual(images.images);
    expect(found.imagesPerSecond).toBeGreaterThan(0);
  });

  it("ranks equal scores by their class: the fifth is among the first five, the sixth is not", async () => {
    const image = [1, 3, 2, 2, 2, 0, 2, 2]; // ranks 7, 1, 2, 3, 4, 8, 5, 6
    const ranked = (label: number) =>
      new ImageSet({
        images: Float32Array.from(image),
        labels: Uint8Array.of(label),
        shape: [1, 1, image.length],
        classes: image.map((_, c) => String(c)),
      });
    const weight = tensor([1]);
    const model = { weight, forward: (x: Tensor) => mul(x.view([x.shape[0]!, image.length]), weight) };
    const found = [];
    for (const label of image.keys()) {
      const { top1, top5 } = await evaluateModel(model, ranked(label));
      found.push([top1, top5]);
    }
    const [first, among, out] = [
      [1, 1],
      [0, 1],
      [0, 0],
    ];
    expect(found).toEqual([out, first, among, among, among, out, among, out]);
  });

  it("counts images by the second", async () => {
    const slow = {
      length: 6,
      shape: [1, 1, 6] as const,
      classes: images.classes,
      read: async (i: number) => {
        await new Promise((resolve) => setTimeout(resolve, 60));
        return { image: images.images.subarray(6 * i, 6 * i + 6), label: 0 };
      },
    };
    const model = identity();
    await evaluateModel(model, images, { batchSize: 3 }); // compiles the kernels
    const start = performance.now();
    const { imagesPerSecond } = await evaluateModel(model, slow, { batchSize: 3 });
    const seconds = (performance.now() - start) / 1000;
    // A browser's clock is coarse, so that both may be the same time, divided in another order.
    expect(imagesPerSecond).toBeGreaterThan((0.999 * 6) / seconds);
    expect(imagesPerSecond).toBeLessThan(6 / 0.05); // a timer may be early by a little
  });

  it("takes only the first ones, tells how far it is, and stops when told to", async () => {
    const reported: number[] = [];
    const onProgress = (done: { images: number; of: number }) => reported.push(done.images, done.of);
    const found = await evaluateModel(identity(), images, {
      limit: 5,
      batchSize: 2,
      onProgress,
      logits: true,
    });
    expect([found.images, found.logits!.length]).toEqual([5, 30]);
    expect(reported).toEqual([2, 5, 4, 5, 5, 5]);
    const stopped = await evaluateModel(identity(), images, { batchSize: 2, signal: AbortSignal.abort() });
    expect(stopped.images).toBe(0);
  });

  it("takes the mean over an image and its mirror image, left and right exchanged, if asked to", async () => {
    const shape = [2, 2, 1] as const; // four scores: top left, top right, bottom left, bottom right
    const picture = new ImageSet({
      images: Float32Array.of(1, 5, 2, 8),
      labels: Uint8Array.of(0),
      shape,
      classes: ["a", "b", "c", "d"],
    });
    const weight = tensor([1]);
    const model = { weight, forward: (x: Tensor) => mul(x.view([x.shape[0]!, 4]), weight) };
    const logits = async (mirror: boolean) => [
      ...(await evaluateModel(model, picture, { mirror, logits: true })).logits!,
    ];
    expect(await logits(false)).toEqual([1, 5, 2, 8]);
    expect(await logits(true)).toEqual([3, 3, 5, 5]);
  });

  it("takes as many images as there are where more are asked for", async () => {
    const found = await evaluateModel(identity(), images, { limit: 9, logits: true });
    expect([found.images, found.logits!.length]).toEqual([7, 42]);
  });

  it("takes NaN for wrong", async () => {
    const weight = tensor([Number.NaN]);
    const model = { ...identity(), weight, forward: (x: Tensor) => mul(x.view([x.shape[0]!, 6]), weight) };
    const found = await evaluateModel(model, images);
    expect([found.top1, found.top5, found.loss]).toEqual([0, 0, Number.NaN]);
  });

  it("complains of a label that is no class of the model", async () => {
    const model = { weight: tensor([1]), forward: (x: Tensor) => x.view([2 * x.shape[0]!, 3]) };
    const two = {
      ...model,
      forward: (x: Tensor) => mul(x.view([x.shape[0]! * 3, 2]), 1).view([x.shape[0]!, 6]),
    };
    expect((await evaluateModel(two, images)).images).toBe(7);
    const narrow = new ImageSet({
      ...images,
      images: new Float32Array(4),
      labels: Uint8Array.of(0, 5),
      shape: [1, 1, 2],
    });
    const pair = { ...model, forward: (x: Tensor) => mul(x.view([x.shape[0]!, 2]), 1) };
    await expect(evaluateModel(pair, narrow)).rejects.toThrow(
      "evaluate: image 1 has label 5 but the model knows 2 classes.",
    );
  });
});
