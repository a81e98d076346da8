import { check, randomValues } from "../check.ts";
import { gatherParams } from "../gather/index.ts";
import {
  gatherElements,
  gatherElementsGrad,
  gatherElementsGradReference,
  gatherElementsReference,
} from "./index.ts";

const cases: [outer: number, size: number, inner: number, count: number][] = [
  [1, 5, 3, 7],
  [2, 7, 1, 3],
  [3, 4, 13, 4],
  [1, 1, 1, 1],
  [2, 3, 0, 2],
  [2, 3, 2, 0],
  [3, 7, 101, 5],
  [1, 3, 2, 2100], // sums of several parts
  [3, 4, 7001, 7], // several elements for an invocation
];

/** Places in and around an axis of `size` elements. */
const indices = (length: number, size: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => ((i * 7 + (i >> 2)) % (size + 2)) - 1);

export const checks = [
  check(gatherElements, () => [
    ...cases.map(([outer, size, inner, count]) => {
      const params = gatherParams([outer, size, inner], count, "f32", 9);
      const index = indices(outer * count * inner, size);
      const x = randomValues(outer * size * inner);
      const expected = gatherElementsReference(x, index, params, 9);
      return {
        name: `${count} of [${[outer, size, inner]}], some beyond it`,
        params,
        reads: [x, index],
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
  ]),
  check(gatherElementsGrad, () =>
    cases.map(([outer, size, inner, count]) => {
      const params = gatherParams([outer, size, inner], count, "f32", 0);
      const index = indices(outer * count * inner, size);
      const dy = randomValues(outer * count * inner);
      const expected = gatherElementsGradReference(dy, index, params);
      return {
        name: `${count} back to [${[outer, size, inner]}]`,
        params,
        reads: [dy, index],
        writes: [new Float32Array(expected.length).fill(5)],
        expected: [expected],
      };
    }),
  ),
];
