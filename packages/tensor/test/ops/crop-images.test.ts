import { beforeAll, describe, expect, it } from "vitest";
import { cropImages, init, type Tensor, tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init();
});

const H = 3;
const W = 4;
/** Two images of one channel: 0 … 11, and 100 … 111. */
const bytes = Uint8Array.from({ length: 24 }, (_, i) => (i < 12 ? i : 88 + i));
const images = () => tensor(new Uint32Array(bytes.buffer.slice(0)), [6]);
const colours = () => tensor([[2], [1]]);
const rows = async (y: Tensor) => Array.from(await y.data(), (value) => (value - 1) / 2);

describe("cropImages", () => {
  const shape = [H, W, 1] as const;

  it("picks images, moves windows, mirrors, scales and shifts", async () => {
    const picks = tensor(Int32Array.of(1, 0, 0, 0, 0, 0, 0, 1), [2, 4]);
    const y = cropImages(images(), picks, colours(), { shape });
    expect(y.shape).toEqual([2, H, W, 1]);
    const found = await rows(y);
    expect(found.slice(0, 12)).toEqual(Array.from(bytes.subarray(12)));
    expect(found.slice(12)).toEqual([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8]);
  });

  it("reflects beyond an edge without repeating the border, as NumPy's pad mode", async () => {
    const picks = tensor(Int32Array.of(0, -1, 2, 0), [1, 4]);
    const y = cropImages(images(), picks, colours(), { shape, edge: "reflect" });
    expect(await rows(y)).toEqual([6, 7, 6, 5, 2, 3, 2, 1, 6, 7, 6, 5]);
  });

  it("is 0 beyond an edge otherwise, after scale and shift", async () => {
    const picks = tensor(Int32Array.of(0, 2, -1, 0), [1, 4]);
    const y = await cropImages(images(), picks, colours(), { shape, window: [2, 3] }).data();
    expect([...y]).toEqual([0, 17, 19, 0, 0, 0]);
  });

  it("takes images in two tensors", async () => {
    const words = new Uint32Array(bytes.buffer.slice(0));
    const parts = [tensor(words.slice(0, 3), [3]), tensor(words.slice(3), [3])] as const;
    const picks = tensor(Int32Array.of(1, 0, 0, 0, 0, 0, 0, 0), [2, 4]);
    expect(await rows(cropImages(parts, picks, colours(), { shape }))).toEqual([
      ...bytes.slice(12),
      ...bytes.slice(0, 12),
    ]);
    const uneven = [tensor(words.slice(0, 2), [2]), tensor(words.slice(2), [4])] as const;
    expect(() => cropImages(uneven, picks, colours(), { shape })).toThrow(/not whole images of 12/);
  });

  it("says what disagrees", () => {
    const picks = tensor(Int32Array.of(0, 0, 0), [1, 3]);
    expect(() => cropImages(images(), picks, colours(), { shape })).toThrow(/picks are i32 \[1,3\]/);
  });
});
