import { type Check, check, randomValues } from "../check.ts";
import { softmax, softmaxGrad, softmaxGradReference, softmaxReference } from "./index.ts";

const SHAPES = [
  [3, 5, 7],
  [1, 3, 1],
  [5, 131, 1],
  [2, 1, 1],
  [7, 257, 1],
  [2, 11, 3],
  [7, 5, 30],
  [131, 3, 1],
] as const;

const rounds = SHAPES.flatMap(([outer, size, inner]) =>
  [false, true].map((LOG) => ({
    name: `${LOG ? "its logarithm " : ""}of [${[outer, size, inner]}]`,
    params: { outer, size, inner },
    holes: { LOG },
    length: outer * size * inner,
  })),
);

export const checks: Check[] = [
  check(softmax, () => [
    ...rounds.map(({ length, ...round }) => {
      const x = randomValues(length).map((value) => 4 * value);
      return {
        ...round,
        reads: [x],
        writes: [new Float32Array(length)],
        expected: [softmaxReference(x, round.params, round.holes.LOG)],
      };
    }),
    ...[
      { outer: 1, size: 300_000, inner: 1 },
      { outer: 1, size: 100_000, inner: 3 },
      { outer: 65_537, size: 2, inner: 1 }, // more rows than there are workgroups along one axis
    ].map((params) => {
      const length = params.outer * params.size * params.inner;
      const x = randomValues(length).map((value) => 1 + value / 8);
      return {
        name: `of long rows or many, [${Object.values(params)}]`,
        params,
        ...(params.outer === 1 && { half: false, tolerance: 1e-6 }),
        reads: [x],
        writes: [new Float32Array(length)],
        expected: [softmaxReference(x, params)],
      };
    }),
    ...[
      { name: "of numbers near 1000", x: randomValues(37).map((value) => 1000 + value) },
      {
        name: "of numbers up to 1200, the largest last",
        x: Float32Array.from({ length: 601 }, (_, i) => 2 * i),
      },
    ].map(({ name, x }) => {
      const params = { outer: 1, size: x.length, inner: 1 };
      return {
        ...{ name, params, half: false, reads: [x], writes: [new Float32Array(x.length)] },
        expected: [softmaxReference(x, params)],
      };
    }),
  ]),
  check(softmaxGrad, () =>
    rounds.map(({ length, ...round }) => {
      const { params, holes } = round;
      const y = Float32Array.from(softmaxReference(randomValues(length), params, holes.LOG));
      const dy = randomValues(length, 2);
      return {
        ...round,
        reads: [y, dy],
        writes: [new Float32Array(length)],
        expected: [softmaxGradReference(y, dy, params, holes.LOG)],
        ...(params.size === 1 && { half: false }), // the gradient is 0
      };
    }),
  ),
];
