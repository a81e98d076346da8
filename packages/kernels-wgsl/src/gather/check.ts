import { check, randomValues } from "../check.ts";
import { gather, gatherGrad, gatherGradReference, gatherParams, gatherReference } from "./index.ts";

const sides: [outer: number, size: number, inner: number][] = [
  [1, 5, 3],
  [2, 7, 1],
  [3, 4, 13],
  [1, 1, 1],
  [2, 3, 0],
  [4, 13, 11],
  [3, 7, 101],
  [3, 4, 7001], // several elements for an invocation
];
/** More than a block of the gradient's sum. */
const many = Int32Array.from({ length: 1030 }, (_, i) => (i * i) % 11);
const indices = Int32Array.of(2, 0, 2, 1, 3, 2, 6);

export const checks = [
  check(gather, () => [
    ...sides.map((side) => {
      const params = gatherParams(side, indices.length, "f32", 9);
      const x = randomValues(side[0] * side[1] * side[2]);
      const expected = gatherReference(x, indices, params, 9);
      return {
        name: `7 rows of [${side}], some beyond them`,
        params,
        reads: [x, indices],
        writes: [new Float32Array(expected.length)],
        expected: [expected],
        tolerance: 0,
      };
    }),
    {
      name: "integers by unsigned indices",
      params: gatherParams([1, 3, 1], 4, "i32", 0),
      holes: { Elem: "i32", Scalar: "i32", Index: "u32" },
      half: false,
      reads: [Int32Array.of(16_777_217, -5, 7), Uint32Array.of(1, 4_294_967_295, 0, 3)],
      writes: [new Int32Array(4)],
      expected: [[-5, 0, 16_777_217, 0]],
      tolerance: 0,
    },
    {
      name: "negative indices, which there are not",
      params: gatherParams([1, 3, 1], 2, "f32", Number.NaN),
      reads: [randomValues(3), Int32Array.of(-1, -3)],
      writes: [new Float32Array(2)],
      expected: [[Number.NaN, Number.NaN]],
    },
  ]),
  check(gatherGrad, () =>
    [indices, Int32Array.of(-1, 0, 99), new Int32Array(0), many].flatMap((index) =>
      sides.map((side) => {
        const params = gatherParams(side, index.length, "f32", 0);
        const dy = randomValues(side[0] * index.length * side[2]);
        const expected = gatherGradReference(dy, index, params);
        return {
          name: `rows ${index.length < 8 ? `[${index}]` : `of ${index.length} indices`} back to [${side}]`,
          params,
          reads: [dy, index],
          writes: [new Float32Array(expected.length).fill(5)],
          expected: [expected],
        };
      }),
    ),
  ),
];
