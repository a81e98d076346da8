import { check } from "../check.ts";
import { type CropImagesParams, cropImages, cropImagesReference } from "./index.ts";

const shapes: [name: string, N: number, params: Omit<CropImagesParams, "first">][] = [
  ["a pixel", 2, { B: 1, H: 1, W: 1, C: 1, P: 1, Q: 1 }],
  ["RGB", 5, { B: 7, H: 5, W: 7, C: 3, P: 5, Q: 7 }],
  ["windows smaller than the images, over several workgroups", 3, { B: 9, H: 8, W: 9, C: 3, P: 6, Q: 5 }],
  ["windows larger than the images", 3, { B: 4, H: 6, W: 5, C: 4, P: 8, Q: 7 }],
  ["no image", 1, { B: 0, H: 4, W: 4, C: 3, P: 4, Q: 4 }],
];

export const checks = [
  check(cropImages, () =>
    shapes.flatMap(([name, N, shape]) =>
      [false, true].map((REFLECT) => {
        const { B, H, W, C, P, Q } = shape;
        // Both buffers begin with a whole word.
        const first = [2, 1, 0].find((count) => (count * H * W * C) % 4 === 0)!;
        const params = { ...shape, first };
        const bytes = Uint8Array.from(
          { length: Math.ceil((N * H * W * C) / 4) * 4 },
          (_, i) => (i * 73 + 11) % 256,
        );
        // From two pixels above and to the left of the image on, or as far as an image of one pixel has a reflection.
        const reach = Math.min(2, H - 1, W - 1);
        const offset = (b: number, side: number, window: number) =>
          ((b * 5 + side) % (side - window + 2 * reach + 1)) - reach;
        const fits = (side: number, window: number) => Math.max(side, window);
        const picks = Int32Array.from({ length: Math.max(1, B) * 4 }, (_, k) => {
          const b = k >> 2;
          return [b % N, offset(b, fits(H, P), P), offset(b + 1, fits(W, Q), Q), b % 2][k % 4]!;
        });
        const colours = Float32Array.from({ length: 2 * C }, (_, c) => (c < C ? (c + 1) / 256 : -c / 4));
        const words = new Uint32Array(bytes.buffer);
        const middle = (first * H * W * C) / 4;
        const expected = cropImagesReference(bytes, picks, colours, params, REFLECT);
        return {
          name: `${name}, ${REFLECT ? "reflected" : "with zeros around"}`,
          params,
          holes: { REFLECT },
          reads: [words.subarray(0, middle), words.subarray(middle), picks, colours],
          writes: [new Float32Array(expected.length)],
          expected: [expected],
        };
      }),
    ),
  ),
];
