import { init, tensor } from "@shadegrad/tensor";
import { describe, expect, it } from "vitest";
import { batches, collect, type Dataset, type Example, ImageSet, shuffled } from "../../src/data/index.ts";

/** Image i is two pixels of value i. */
const numbered = (length: number): ImageSet =>
  new ImageSet({
    images: Float32Array.from({ length: 2 * length }, (_, i) => i >> 1),
    labels: Int32Array.from({ length }, (_, i) => i % 3),
    shape: [1, 2, 1],
    classes: ["a", "b", "c"],
  });

describe("shuffled", () => {
  it("is a permutation, of the seed and the epoch alone", () => {
    const order = shuffled(1000, 1, 2);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(order).toEqual(shuffled(1000, 1, 2));
    for (const [seed, epoch] of [
      [1, 3],
      [2, 1],
      [2, 2],
      [1 + 2 ** 32, 2],
    ] as const)
      expect(shuffled(1000, seed, epoch)).not.toEqual(order);
    expect([...shuffled(1, 0, 0)]).toEqual([0]);
  });

  it("puts every element everywhere about as often", () => {
    const counts = new Int32Array(25);
    for (let epoch = 0; epoch < 5000; epoch++)
      for (const [place, i] of shuffled(5, 7, epoch).entries()) counts[5 * place + i]!++;
    expect(Math.min(...counts)).toBeGreaterThan(880);
    expect(Math.max(...counts)).toBeLessThan(1120);
  });
});

describe("batches", () => {
  const all = async (...options: Parameters<typeof batches>) => {
    const found: { n: number; images: number[]; labels: number[] }[] = [];
    for await (const { shape, images, labels } of batches(...options)) {
      expect(images.length).toBe(shape[0] * 2);
      found.push({ n: shape[0], images: [...images].filter((_, i) => i % 2 === 0), labels: [...labels] });
    }
    return found;
  };

  it("go through the data in order, the last with what is left", async () => {
    expect(await all(numbered(5), { batchSize: 2 })).toEqual([
      { n: 2, images: [0, 1], labels: [0, 1] },
      { n: 2, images: [2, 3], labels: [2, 0] },
      { n: 1, images: [4], labels: [1] },
    ]);
  });

  it("go on in the middle of an order", async () => {
    const order = shuffled(7, 3, 1);
    const whole = await all(numbered(7), { batchSize: 2, order });
    expect(await all(numbered(7), { batchSize: 2, order, start: 2 })).toEqual(whole.slice(2));
    expect(await all(numbered(7), { batchSize: 2, order, start: 4 })).toEqual([]);
  });

  it("are read ahead, and come in order whatever takes long", async () => {
    const started: number[] = [];
    const slow: Dataset = {
      ...numbered(12),
      length: 12,
      classes: ["a"],
      shape: [1, 2, 1],
      async read(i): Promise<Example> {
        started.push(i);
        await new Promise((resolve) => setTimeout(resolve, 5 * (12 - i)));
        return { image: Float32Array.of(i, i), label: 0 };
      },
    };
    const reading = batches(slow, { batchSize: 2, ahead: 2 });
    const first = await reading.next();
    expect([...first.value!.images]).toEqual([0, 0, 1, 1]);
    expect(started).toEqual([0, 1, 2, 3, 4, 5]);
    const second = await reading.next();
    expect([...second.value!.images]).toEqual([2, 2, 3, 3]);
    await reading.return();
  });

  it("throw what reading throws, when its turn comes", async () => {
    const bad: Dataset = {
      length: 4,
      classes: ["a"],
      shape: [1, 1, 1],
      async read(i): Promise<Example> {
        if (i === 3) throw new Error("image 3 is damaged");
        return { image: new Float32Array(1), label: 0 };
      },
    };
    const reading = batches(bad, { batchSize: 2 });
    await reading.next();
    await expect(reading.next()).rejects.toThrow("image 3 is damaged");
  });

  it("complain of a size that is none", async () => {
    await expect(all(numbered(3), { batchSize: 0 })).rejects.toThrow("a batch of 0 images is not possible");
  });
});

describe("ImageSet", () => {
  it("complains of what does not fit", () => {
    const options = {
      images: new Uint8Array(12),
      labels: Uint8Array.of(0, 1),
      shape: [1, 2, 3],
      classes: ["a", "b"],
    } as const;
    expect(() => new ImageSet({ ...options, images: new Uint8Array(11) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ImageSet: 11 values for 2 images of 6. An image is [1,2,3] as [H, W, C].]`,
    );
    expect(
      () => new ImageSet({ ...options, labels: Uint8Array.of(0, 2) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ImageSet: image 1 has label 2, but there are 2 classes, from 0.]`,
    );
  });

  it("is cut into views", () => {
    const whole = numbered(5);
    const part = whole.slice(1, 3);
    expect([part.length, ...part.images]).toEqual([2, 1, 1, 2, 2]);
    expect(part.images.buffer).toBe(whole.images.buffer);
  });
});

describe("collect", () => {
  it("takes pixels, pictures and tensors, from whatever can be gone through", async () => {
    await init();
    async function* samples() {
      yield { image: Uint8Array.of(0, 51, 255), shape: [1, 1, 3] as const, label: 2 };
      yield { image: { pixels: Uint8Array.of(255, 0, 51), width: 1, height: 1 }, label: 0 };
      yield { image: tensor([[[0.5, 0.25, 2]]]), label: 1 };
    }
    const set = await collect(samples());
    expect(set.shape).toEqual([1, 1, 3]);
    expect(set.classes).toEqual(["0", "1", "2"]);
    expect([...set.labels]).toEqual([2, 0, 1]);
    expect([...set.images].map((x) => Number(x.toFixed(6)))).toEqual([0, 0.2, 1, 1, 0, 0.2, 0.5, 0.25, 2]);
  });

  it("keeps bytes as bytes", async () => {
    const set = await collect([{ image: Uint8Array.of(7), shape: [1, 1, 1], label: 0 }], {
      classes: ["seven"],
    });
    expect(set.images).toEqual(Uint8Array.of(7));
    expect(set.classes).toEqual(["seven"]);
  });

  it("complains of nothing, and of images that differ in shape", async () => {
    await expect(collect([])).rejects.toThrow("collect: there is no image.");
    const two = [1, 2].map((W) => ({ image: new Uint8Array(W), shape: [1, W, 1] as const, label: 0 }));
    await expect(collect(two)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: collect: image 1 is [1,2,1] but the first is [1,1,1] as [H, W, C].]`,
    );
  });
});
