import { expect, test } from "vitest";
import { ImageSet, inGrey, pictureInput, preprocessed, ranked } from "../src/index.ts";

const CIFAR = { nBlocks: [1], nChannels: [1], classes: 2, firstKernelSize: 3 };

/** 32 × 32 pixels of one colour. */
const plain = (r: number, g: number, b: number) => ({
  width: 32,
  height: 32,
  pixels: Uint8Array.from({ length: 3072 }, (_, i) => [r, g, b][i % 3]!),
});

test("a net of one channel takes a picture in grey, as Pillow has it", () => {
  const preprocessing = { channels: "grey", range: 255, mean: [10], std: [2] } as const;
  const net = { options: { ...CIFAR, imgChannels: 1 } };
  const { data, shape } = pictureInput(plain(200, 100, 50), net, preprocessing);
  expect(shape).toEqual([1, 32, 32, 1]);
  // Pillow: Image.new("RGB", (1, 1), (200, 100, 50)).convert("L").getpixel((0, 0)) is 124.
  expect(data.every((value) => Math.abs(value - (124 - 10) / 2) < 1e-4)).toBe(true);
  const usual = pictureInput(plain(255, 255, 255), net);
  const [mean, std] = [
    (0.49139968 + 0.48215841 + 0.44653091) / 3,
    (0.24703224 + 0.24348513 + 0.26158784) / 3,
  ];
  expect(usual.data[0]).toBeCloseTo((1 - mean) / std, 5);
});

test("a net of blue, green and red takes the channels in that order", async () => {
  const preprocessing = { channels: "bgr", range: 255, mean: [10, 20, 30], std: [1, 2, 4] } as const;
  const { data } = pictureInput(plain(200, 100, 50), { options: CIFAR, preprocessing });
  const expected = [50 - 10, (100 - 20) / 2, (200 - 30) / 4];
  for (let i = 0; i < 6; i++) expect(data[i]).toBeCloseTo(expected[i % 3]!, 4);

  const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6);
  const set = new ImageSet({
    images: pixels,
    labels: Uint8Array.of(0),
    shape: [1, 2, 3],
    classes: ["a"],
  });
  const turned = preprocessed(set, preprocessing);
  expect(await turned.read(0)).toEqual({ image: Uint8Array.of(3, 2, 1, 6, 5, 4), label: 0 });
  expect(turned.normalization!.mean[2]).toBeCloseTo(30 / 255, 10);
  expect([...pixels]).toEqual([1, 2, 3, 4, 5, 6]);
});

test("a net of two channels takes no picture", () => {
  expect(() => pictureInput(plain(0, 0, 0), { options: { ...CIFAR, imgChannels: 2 } })).toThrow(
    "pictureInput: the net takes 2 channels, but a picture has 3, or 1 in grey.",
  );
});

test("a data set in grey", async () => {
  const set = new ImageSet({
    images: Uint8Array.of(200, 100, 50, 255, 255, 255),
    labels: Uint8Array.of(1),
    shape: [1, 2, 3],
    classes: ["a", "b"],
    normalization: { mean: [0.1, 0.2, 0.3], std: [1, 1, 1] },
  });
  const grey = inGrey(set);
  expect(grey.shape).toEqual([1, 2, 1]);
  expect(grey.normalization!.mean[0]).toBeCloseTo(0.2, 10);
  expect(await grey.read(0)).toEqual({ image: Uint8Array.of(124, 255), label: 1 });
});

test("any number of classes is ranked", () => {
  const scores = new Float32Array(300_000);
  scores[7] = 3;
  expect(ranked(scores, [])[0]!.class).toBe(7);
});
