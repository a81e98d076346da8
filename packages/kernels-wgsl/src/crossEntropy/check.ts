import { check, randomValues } from "../check.ts";
import { crossEntropy, crossEntropyReference } from "./index.ts";

const SHAPES = [
  [1, 3],
  [5, 7],
  [67, 10],
  [3, 301],
  [2, 1],
] as const;

const LOWEST = Number.NEGATIVE_INFINITY;

export const checks = [
  check(crossEntropy, () => [
    ...SHAPES.flatMap(([N, C]) =>
      [0, 0.1].map((smoothing) =>
        example(
          `[${[N, C]}]${smoothing ? ", smoothed" : ""}`,
          N,
          C,
          smoothing,
          randomValues(N * C).map((x) => 5 * x),
        ),
      ),
    ),
    {
      ...example(
        "near 1000",
        3,
        31,
        0.2,
        randomValues(93).map((x) => 1000 + 9 * x),
      ),
      half: false,
    },
    {
      ...example("a class ruled out by -∞", 2, 3, 0, Float32Array.of(1, LOWEST, 2, 0, 3, LOWEST)),
      half: false,
      reads: [Float32Array.of(1, LOWEST, 2, 0, 3, LOWEST), Uint32Array.of(0, 1)],
      expected: [
        [Math.log(1 + Math.exp(1)), Math.log(1 + Math.exp(-3))],
        [
          -1 / (1 + Math.exp(-1)),
          0,
          1 / (1 + Math.exp(-1)),
          1 / (1 + Math.exp(3)),
          -1 / (1 + Math.exp(3)),
          0,
        ].map((value) => 0.25 * value),
      ],
    },
    {
      ...example("labels that are no class", 3, 2, 0, Float32Array.of(0, 0, 1, 2, 3, 4)),
      reads: [Float32Array.of(0, 0, 1, 2, 3, 4), Uint32Array.of(2, 1, 0xffffffff)],
      expected: [
        [Number.NaN, Math.log(1 + Math.exp(-1)), Number.NaN],
        [Number.NaN, Number.NaN, 0.25 / (1 + Math.exp(1)), -0.25 / (1 + Math.exp(1)), Number.NaN, Number.NaN],
      ],
    },
    {
      ...example("the loss alone", 4, 5, 0, randomValues(20)),
      holes: { GRADIENT: false },
      writes: [new Float32Array(4), new Float32Array(0)],
      expected: [example("", 4, 5, 0, randomValues(20)).expected[0]!, null],
    },
  ]),
];

function example(name: string, N: number, C: number, smoothing: number, x: Float32Array) {
  const params = { N, C, smoothing, scale: 0.25 };
  const labels = Uint32Array.from({ length: N }, (_, n) => (7 * n + 3) % C);
  const { loss, dx } = crossEntropyReference(x, labels, params);
  return {
    name,
    params,
    reads: [x, labels],
    writes: [new Float32Array(N), new Float32Array(N * C)],
    expected: [loss, dx] as ArrayLike<number>[],
    half: C > 1,
  };
}
