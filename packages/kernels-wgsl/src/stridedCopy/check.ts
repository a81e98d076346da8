import { check, randomValues } from "../check.ts";
import { type StridedView, stridedCopy, stridedCopyParams, stridedCopyReference } from "./index.ts";

const at = (strides: readonly number[], offset = 0): StridedView => ({ strides, offset });

function example(name: string, shape: readonly number[], from: StridedView, to: StridedView) {
  const reach = ({ strides, offset }: StridedView) =>
    1 + strides.reduce((end, stride, axis) => end + Math.max(0, stride * (shape[axis]! - 1)), offset);
  const x = randomValues(Math.ceil(reach(from) / 4) * 4);
  const y = randomValues(Math.ceil(reach(to) / 4) * 4, 2);
  return {
    name,
    params: stridedCopyParams(shape, from, to),
    reads: [x],
    writes: [y],
    expected: [stridedCopyReference(shape, { x, at: from }, { y, at: to })],
    tolerance: 0,
  };
}

export const checks = [
  check(stridedCopy, () => [
    example("nothing", [0, 4], at([4, 1]), at([4, 1])),
    example("a number", [], at([], 3), at([], 2)),
    example("a vector of 8", [8], at([1]), at([1])),
    example("a long vector", [200_000], at([1]), at([1], 4)),
    example("a matrix turned, 5 × 7", [5, 7], at([1, 5]), at([7, 1])),
    example("a matrix turned, 8 × 12", [8, 12], at([1, 8]), at([12, 1])),
    example("a matrix turned, 132 × 68", [132, 68], at([1, 132]), at([68, 1])),
    example("images to channels first", [2, 8, 12, 20], at([1920, 1, 160, 8]), at([1920, 240, 20, 1])),
    example("odd images to channels first", [2, 3, 5, 7], at([105, 1, 21, 3]), at([105, 35, 7, 1])),
    example("every second of the middle ones", [2, 3, 2], at([30, 10, 1], 11), at([6, 2, 1])),
    example("channels 4 to 11 of 16", [3, 5, 8], at([80, 16, 1], 4), at([40, 8, 1])),
    example("into the middle", [3, 4], at([4, 1]), at([8, 1], 10)),
    example("backwards", [3, 7], at([-7, -1], 20), at([7, 1])),
    example("a row repeated", [5, 12], at([0, 1]), at([12, 1])),
    example("five axes", [2, 3, 2, 3, 4], at([1, 8, 24, 2, 48]), at([72, 24, 12, 4, 1])),
    example(
      "six axes, turned",
      [2, 3, 2, 3, 4, 8],
      at([288, 4, 144, 48, 12, 1]),
      at([8, 16, 48, 96, 1, 288]),
    ),
    example(
      "six axes, turned by blocks",
      [3, 2, 3, 2, 4, 8],
      at([4, 576, 12, 288, 1, 36]),
      at([384, 192, 64, 32, 8, 1]),
    ),
    example("five axes, of fours", [5, 3, 7, 2, 12], at([1008, 12, 72, 36, 1]), at([504, 168, 24, 12, 1])),
    example(
      "exactly five axes, of fours",
      [3, 2, 3, 5, 8],
      at([80, 8, 240, 16, 1]),
      at([240, 120, 40, 8, 1]),
    ),
    example("a long matrix, every second row", [700, 8], at([16, 1]), at([8, 1])),
    // A carry from axis to axis, `to.x -= side.x`, changes nothing in the race finder's interpreter: it gets one axis.
    { ...example("a vector of 2,560", [2560], at([1]), at([1])), races: true },
    // Enough elements for an invocation to copy several.
    example("four long axes, turned", [5, 31, 29, 33], at([1, 5, 155, 4495]), at([29667, 957, 33, 1])),
    example("four long axes of fours", [12, 31, 90, 20], at([20, 240, 7440, 1]), at([55_800, 1800, 20, 1])),
    example(
      "eight axes backwards",
      [2, 3, 2, 2, 3, 2, 2, 2],
      at([1, 2, 6, 12, 24, 72, 144, 288]),
      at([288, 96, 48, 24, 8, 4, 2, 1]),
    ),
  ]),
];
