import { check, randomValues } from "../check.ts";
import { pad, padParams, padReference, type Window } from "./index.ts";

type Sides = readonly [side: number, low: number, count: number, step?: number];

function example(name: string, sides: readonly Sides[], strides: readonly number[], offset = 0, value = 0) {
  const windows = sides.map(([side, low, count, step = 1]): Window => ({ side, low, count, step }));
  const reach = strides.reduce(
    (end, stride, axis) => end + Math.max(0, stride * (sides[axis]![2] - 1)),
    1 + offset,
  );
  const x = randomValues(Math.ceil(reach / 4) * 4);
  const at = { strides, offset };
  return {
    name,
    params: padParams(windows, at, "f32", value),
    reads: [x],
    writes: [
      randomValues(
        windows.reduce((size, { side }) => size * side, 1),
        2,
      ),
    ],
    expected: [padReference(windows, { x, at }, value)],
    tolerance: 0,
  };
}

export const checks = [
  check(pad, () => [
    example("nothing", [[0, 0, 0]], [1]),
    example("a number", [], [], 3),
    example("a number, and values around it", [[5, 2, 1]], [1], 0, -1.5),
    example("values alone", [[8, 0, 0]], [1], 0, 2),
    example("a vector of 8 in 16", [[16, 4, 8]], [1]),
    example("a vector of 7 in 11", [[11, 3, 7]], [1], 2),
    example("every third", [[20, 1, 6, 3]], [1]),
    example("every third, none at the end", [[22, 1, 6, 3]], [1]),
    example("backwards", [[11, 3, 7]], [-1], 6),
    example("a long vector", [[200_000, 4, 150_000]], [1], 4),
    example(
      "rows of a matrix",
      [
        [7, 2, 3],
        [8, 0, 8],
      ],
      [8, 1],
      0,
      0.5,
    ),
    example(
      "columns of a matrix",
      [
        [5, 0, 5],
        [9, 1, 6],
      ],
      [6, 1],
    ),
    example(
      "a side of 1 without an element",
      [
        [1, 0, 0],
        [8, 0, 8],
      ],
      [8, 1],
      0,
      3,
    ),
    example(
      "every second pixel of images, channels padded",
      [
        [2, 0, 2],
        [3, 0, 3],
        [4, 0, 4],
        [16, 4, 8],
      ],
      [5 * 8 * 8, 2 * 8 * 8, 2 * 8, 1],
    ),
    example(
      "its gradient",
      [
        [2, 0, 2],
        [5, 0, 3, 2],
        [8, 0, 4, 2],
        [8, 0, 8],
      ],
      [3 * 4 * 16, 4 * 16, 16, 1],
      4,
    ),
    example(
      "odd channels",
      [
        [2, 0, 2],
        [3, 0, 3],
        [4, 1, 2],
        [7, 1, 3],
      ],
      [3 * 2 * 3, 2 * 3, 3, 1],
    ),
    example(
      "five axes",
      [
        [3, 1, 2],
        [3, 0, 2],
        [4, 1, 2],
        [3, 1, 2],
        [8, 4, 4],
      ],
      [32, 16, 8, 4, 1],
    ),
    example(
      "eight axes",
      [
        [3, 1, 2],
        [3, 0, 2, 2],
        [2, 0, 1],
        [4, 1, 3],
        [3, 1, 2],
        [3, 0, 3],
        [5, 1, 2, 3],
        [8, 4, 4],
      ],
      [288, 144, 144, 48, 24, 8, 4, 1],
      4,
      7,
    ),
    example(
      "more places of four axes than invocations",
      [
        [5, 1, 3],
        [61, 0, 50],
        [37, 0, 18, 2],
        [52, 4, 44],
      ],
      [50 * 18 * 44, 18 * 44, 44, 1],
    ),
    // A carry from axis to axis, `to.x -= side.x`, changes nothing in the race finder's interpreter: it gets one axis.
    { ...example("a vector of 2,560 as it is", [[2560, 0, 2560]], [1]), races: true },
    {
      ...example("integers that float32 does not hold", [[5, 1, 3]], [1]),
      params: padParams(
        [{ side: 5, low: 1, step: 1, count: 3 }],
        { strides: [1], offset: 0 },
        "i32",
        -16_777_217,
      ),
      holes: { Elem: "i32", Scalar: "i32" },
      half: false,
      reads: [Int32Array.of(1, 2, 16_777_219, 4)],
      writes: [new Int32Array(5)],
      expected: [Float64Array.of(-16_777_217, 1, 2, 16_777_219, -16_777_217)],
    },
  ]),
];
