import { init, tensor } from "@shadegrad/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { type Augmentation, batches, ImageSet } from "../../src/data/index.ts";
import { DeviceImages, deviceImagesOf } from "../../src/training/device-images.ts";
import { colours } from "./small.ts";

let device: Awaited<ReturnType<typeof init>>;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const seed = 5;
const order = Uint32Array.of(8, 0, 3, 10, 5, 1, 2);

/** The first epoch's batches after the first one, as the GPU makes them and as the CPU does. */
async function both(
  data: ImageSet,
  options: { augment?: Augmentation; crop?: number; normalization?: false },
) {
  const onDevice = new DeviceImages(data, device, { ...options, seed });
  const found = [];
  for await (const { picks, labels, shape } of onDevice.batches({
    order,
    start: 1,
    batchSize: 3,
    epoch: 1,
  })) {
    using windows = tensor(picks!, [labels.length, 4]);
    using images = onDevice.batch(windows);
    expect(images.shape).toEqual(shape);
    found.push({ labels, shape, images: (await images.data()) as Float32Array });
  }
  onDevice.dispose();
  const expected = [];
  for await (const batch of batches(data, { ...options, seed, order, start: 1, batchSize: 3, epoch: 1 }))
    expected.push(batch);
  return { found, expected };
}

describe("images on the GPU are those of the CPU", () => {
  const data = colours(11); // an odd number: the two halves differ
  const plain = new ImageSet({ ...data, shape: data.shape, classes: data.classes, normalization: undefined });
  it.each([
    ["as they are", plain, {}],
    ["normalized", data, {}],
    ["not normalized, though the data say how", data, { normalization: false as const }],
    ["from the centre", data, { crop: 5 }],
    ["shifted and mirrored", data, { augment: { pad: 2, flip: true, edge: "reflect" as const } }],
    ["shifted over the mean, cropped", data, { augment: { pad: 1, edge: "mean" as const }, crop: 6 }],
  ])("%s", async (_, data, options) => {
    const { found, expected } = await both(data, options);
    expect(found.length).toBe(2);
    expect(expected.length).toBe(2);
    found.forEach(({ images, labels, shape }, k) => {
      const batch = expected[k]!;
      expect(labels).toEqual(batch.labels);
      expect(shape).toEqual(batch.shape);
      expect(images.length).toBe(batch.images.length);
      images.forEach((value, i) => {
        expect(value).toBeCloseTo(batch.images[i]!, 5);
      });
    });
  });
});

it.each([
  ["a crop that is larger than the image", { crop: 9 }, "augment: a crop of 9 does not fit."],
  ["half a pixel", { augment: { pad: 0.5 } }, "augment: pad is 0.5, not a whole number ≥ 0."],
  [
    "a reflection of more than there is",
    { augment: { pad: 8, edge: "reflect" as const } },
    "reflects at most 7.",
  ],
  ["two means for three channels", { normalization: { mean: [0, 0], std: [1, 1] } }, "mean"],
])("%s is refused, as on the CPU", async (_, options, message) => {
  const data = colours(2);
  expect(() => new DeviceImages(data, device, { ...options, seed })).toThrow(message);
  await expect(batches(data, { ...options, batchSize: 1 }).next()).rejects.toThrow(message);
});

it("images that are no bytes are refused", () => {
  const floats = new ImageSet({
    images: new Float32Array(3),
    labels: Uint8Array.of(0),
    shape: [1, 1, 3],
    classes: ["one"],
  });
  expect(() => deviceImagesOf(floats, device, { seed })).toThrow(RangeError);
});
