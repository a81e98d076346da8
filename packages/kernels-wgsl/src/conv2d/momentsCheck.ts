import { partialMoments } from "../batchNorm/cases.ts";
import { type Case, check, randomValues } from "../check.ts";
import { type Conv2dParams, chunkOf, conv2dMoments, conv2dReference } from "./index.ts";

const CHUNKS = ["128×64×16", "64×64×32", "32×64×32"].map((tile) => chunkOf(tile)!);

/** Small, and two slices of the sum: each barrier is needed. */
const TWO_SLICES = "a pixel of 36 channels";

type Shape = Record<"name", string> & Pick<Conv2dParams, "N" | "H" | "W" | "C" | "R" | "O" | "groups">;

const shapes: Shape[] = [
  { name: "a pixel", N: 1, H: 1, W: 1, C: 4, R: 1, O: 4, groups: 1 },
  { name: TWO_SLICES, N: 1, H: 1, W: 1, C: 36, R: 1, O: 4, groups: 1 },
  { name: "a short last chunk, and tiles across", N: 1, H: 17, W: 16, C: 20, R: 1, O: 132, groups: 1 },
  { name: "3×3, a chunk and a row", N: 1, H: 3, W: 43, C: 8, R: 3, O: 12, groups: 1 },
  { name: "two groups of 36", N: 2, H: 7, W: 9, C: 80, R: 1, O: 72, groups: 2 },
  { name: "no image", N: 0, H: 5, W: 5, C: 4, R: 3, O: 8, groups: 1 },
];

const paramsOf = ({ name: _, R, ...shape }: Shape): Conv2dParams => ({
  ...shape,
  ...{ R, S: R, P: shape.H, Q: shape.W, strideRows: 1, strideCols: 1, dilationRows: 1, dilationCols: 1 },
  ...{ padTop: (R - 1) / 2, padLeft: (R - 1) / 2 },
});

const rowsOf = ({ N, P, Q }: Conv2dParams): number => N * P * Q;

/** A case for each number of rows that a tile may have. */
function cases(name: string, p: Conv2dParams, x: Float32Array, w: Float32Array) {
  const y = conv2dReference(x, w, p);
  const [gamma, beta] = [randomValues(p.O, 3), randomValues(p.O, 4)];
  return CHUNKS.map((chunk): Case<Conv2dParams & { chunk: number }> => {
    const partial = [...gamma, ...beta, ...partialMoments(y, rowsOf(p), p.O, chunk, true)];
    return {
      name: `${name}, chunks of ${chunk}`,
      params: { ...p, chunk },
      reads: [x, w, gamma, beta],
      // No image, no workgroup.
      writes: [new Float32Array(y.length), new Float32Array(p.N === 0 ? 0 : partial.length)],
      expected: [y, p.N === 0 ? [] : partial],
      races: name === TWO_SLICES,
    };
  });
}

/** Each result is 1000 and a sum of three numbers, which float32 holds exactly; float16 would round them away. */
function farFromZero(): Case<Conv2dParams & { chunk: number }>[] {
  const p = paramsOf({ name: "", N: 3, H: 10, W: 11, C: 4, R: 1, O: 8, groups: 1 });
  const sixteenths = (length: number, seed: number) =>
    randomValues(length, seed).map((v) => Math.round(16 * v) / 16);
  const x = sixteenths(rowsOf(p) * p.C, 1).map((value, i) => (i % p.C === 0 ? 1 : value));
  const w = sixteenths(p.C * p.O, 2).map((value, i) => (i < p.O ? 1000 : value / 16));
  return cases("mean 1000, deviation 0.04", p, x, w).map((example) => ({ ...example, half: false }));
}

export const momentsCheck = check(conv2dMoments, () => [
  ...shapes.flatMap((shape) => {
    const p = paramsOf(shape);
    const x = randomValues(p.N * p.H * p.W * p.C, 1);
    const w = randomValues((p.R * p.S * p.C * p.O) / p.groups, 2);
    return cases(shape.name, p, x, w);
  }),
  ...farFromZero(),
]);
