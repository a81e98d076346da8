import { describe, expect, it } from "vitest";
import { inputWriter } from "../../src/data/augment.ts";
import type { ImageShape, Normalization } from "../../src/data/index.ts";

const shape: ImageShape = [4, 5, 3];
const image = Uint8Array.from({ length: 60 }, (_, i) => (i * 37) % 256);
const normalization: Normalization = { mean: [0.5, 0.25, 0.4], std: [0.2, 0.5, 0.25] };

function written(options: Parameters<typeof inputWriter>[1], epoch = 0, i = 0): Float32Array {
  const writer = inputWriter({ shape }, options);
  const [P, Q, C] = writer.shape;
  const out = new Float32Array(P * Q * C + 2).fill(9);
  writer.write(image, out, 1, epoch, i);
  expect([out[0], out.at(-1)], "what is around the window").toEqual([9, 9]);
  return out.slice(1, -1);
}

/** The windows of the padded image, mirrored or not, by the definition. */
function windows(pad: number): Map<string, { mirrored: boolean }> {
  const at = (y: number, x: number, c: number) =>
    y < 0 || y >= 4 || x < 0 || x >= 5
      ? 0
      : (image[(y * 5 + x) * 3 + c]! / 255 - normalization.mean[c]!) / normalization.std[c]!;
  const found = new Map<string, { mirrored: boolean }>();
  for (let top = -pad; top <= pad; top++)
    for (let left = -pad; left <= pad; left++)
      for (const mirrored of [false, true]) {
        const window = Float32Array.from({ length: 60 }, (_, i) => {
          const [y, x, c] = [Math.floor(i / 15), Math.floor(i / 3) % 5, i % 3];
          return at(top + y, left + (mirrored ? 4 - x : x), c);
        });
        found.set(String(window), { mirrored });
      }
  return found;
}

describe("normalisation", () => {
  it("is (x / 255 − mean) / std of bytes", () => {
    const expected = Float32Array.from(
      image,
      (x, i) => (x / 255 - normalization.mean[i % 3]!) / normalization.std[i % 3]!,
    );
    expect(written({ normalization })).toEqual(expected);
  });

  it("leaves floats on their own scale, and bytes on 0 … 1 if there is none", () => {
    expect(written({})).toEqual(Float32Array.from(image, (x) => x / 255));
    const out = new Float32Array(2);
    inputWriter({ shape: [1, 2, 1] }, { normalization: { mean: [1], std: [2] } }).write(
      Float32Array.of(3, -3),
      out,
      0,
      0,
      0,
    );
    expect(out).toEqual(Float32Array.of(1, -2));
  });

  it("complains of lists that do not fit the channels", () => {
    expect(() =>
      inputWriter({ shape }, { normalization: { mean: [0], std: [1] } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: normalize: mean is [0] and std [1], for 3 channels of positive deviation.]`,
    );
  });
});

describe("pad-and-crop and mirroring", () => {
  const options = { normalization, augment: { pad: 2, flip: true } };

  it("gives windows of the padded image, every one of them some time", () => {
    const possible = windows(2);
    const seen = new Set<string>();
    let mirrored = 0;
    for (let i = 0; i < 1000; i++) {
      const key = String(written(options, 3, i));
      expect(possible.has(key), `image ${i}`).toBe(true);
      mirrored += Number(possible.get(key)!.mirrored);
      seen.add(key);
    }
    expect(seen.size).toBe(possible.size);
    expect(mirrored).toBeGreaterThan(420);
    expect(mirrored).toBeLessThan(580);
  });

  it("depends on seed, epoch and image alone", () => {
    expect(written(options, 5, 7)).toEqual(written(options, 5, 7));
    const distinct = new Set<string>();
    for (const seed of [0, 1, 2 ** 32])
      for (const epoch of [0, 1, 2])
        for (const i of [0, 1, 2]) distinct.add(String(written({ ...options, seed }, epoch, i)));
    // Two seeds alone give at most 18.
    expect(distinct.size).toBeGreaterThan(18);
  });

  it("cuts from the centre without it", () => {
    const crop = inputWriter({ shape: [4, 4, 1] }, { crop: 2 });
    const out = new Float32Array(4);
    crop.write(
      Float32Array.from({ length: 16 }, (_, i) => i),
      out,
      0,
      0,
      0,
    );
    expect([...out]).toEqual([5, 6, 9, 10]);
  });

  it("leaves the larger half of an odd margin below and on the right", () => {
    const crop = inputWriter({ shape: [5, 3, 1] }, { crop: 2 });
    const out = new Float32Array(4);
    crop.write(
      Float32Array.from({ length: 15 }, (_, i) => i),
      out,
      0,
      0,
      0,
    );
    expect([...out]).toEqual([3, 4, 6, 7]);
  });

  it("complains of a crop that does not fit", () => {
    expect(() => inputWriter({ shape }, { crop: 9, augment: { pad: 2 } })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: augment: a crop of 9 does not fit. Images are [4, 5, 3] as [H, W, C], with 2 added on each side.]`,
    );
  });
});
