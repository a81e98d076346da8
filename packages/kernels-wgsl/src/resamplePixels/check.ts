import { check } from "../check.ts";
import { type ResamplePixelsParams, resamplePixels, resamplePixelsReference } from "./index.ts";

const shapes: [name: string, H: number, params: ResamplePixelsParams][] = [
  ["a pixel", 1, { W: 1, S: 1, to: 1, left: 0, first: 0, R: 1, Q: 1, C: 3 }],
  ["as they are, rows apart", 3, { W: 5, S: 8, to: 5, left: 0, first: 0, R: 3, Q: 5, C: 3 }],
  ["shrunk, in grey", 7, { W: 31, S: 31, to: 11, left: 0, first: 0, R: 7, Q: 11, C: 1 }],
  ["the middle, far smaller", 13, { W: 211, S: 256, to: 29, left: 7, first: 2, R: 9, Q: 17, C: 3 }],
  ["enlarged, over several workgroups", 5, { W: 7, S: 7, to: 41, left: 3, first: 1, R: 4, Q: 37, C: 3 }],
];

export const checks = [
  check(resamplePixels, () =>
    shapes.flatMap(([name, H, params]) =>
      [true, false].map((PREMULTIPLIED) => {
        const { S, R, Q, C } = params;
        const words = Uint32Array.from({ length: H * S }, (_, i) => {
          const alpha = i % 3 === 0 ? 255 : (i * 37) % 256;
          const most = PREMULTIPLIED ? alpha + 1 : 256;
          const [red, green, blue] = [7, 53, 101].map((step) => (i * step + 11) % most) as [
            number,
            number,
            number,
          ];
          return red + green * 2 ** 8 + blue * 2 ** 16 + alpha * 2 ** 24;
        });
        const colours = Float32Array.from({ length: 4 * C }, (_, i) =>
          i < 3 * C ? (i + 1) / 2048 : -i / 16,
        );
        const expected = resamplePixelsReference(words, colours, params, PREMULTIPLIED);
        return {
          name: `${name}, ${PREMULTIPLIED ? "multiplied by alpha" : "straight"}`,
          params,
          holes: { PREMULTIPLIED },
          reads: [words, colours],
          writes: [new Float32Array(R * Q * C)],
          expected: [expected],
        };
      }),
    ),
  ),
];
