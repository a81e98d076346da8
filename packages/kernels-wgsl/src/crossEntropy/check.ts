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
      reads: [Float32Array.of(1, LOWEST, 2, 0, 3, LOWEST), Uint32Array.of(0, 1), new Float32Array(1)],
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
        null,
      ],
    },
    {
      ...example("labels that are no class", 3, 2, 0, Float32Array.of(0, 0, 1, 2, 3, 4)),
      reads: [Float32Array.of(0, 0, 1, 2, 3, 4), Uint32Array.of(2, 1, 0xffffffff), new Float32Array(1)],
      expected: [
        [Number.NaN, Math.log(1 + Math.exp(-1)), Number.NaN],
        [Number.NaN, Number.NaN, 0.25 / (1 + Math.exp(1)), -0.25 / (1 + Math.exp(1)), Number.NaN, Number.NaN],
        null,
      ],
    },
    {
      ...example("the loss alone", 4, 5, 0, randomValues(20)),
      holes: { GRADIENT: false },
      writes: [new Float32Array(4), new Float32Array(0), new Float32Array(0)],
      expected: [example("", 4, 5, 0, randomValues(20)).expected[0]!, null, null],
    },
    ...[0, 0.1].flatMap((smoothing) => [
      example(`weights, smoothed by ${smoothing}`, 67, 10, smoothing, randomValues(670), {
        weights: randomValues(10, 2).map((value) => 1 + value),
      }),
      example(`a label that is ignored, smoothed by ${smoothing}`, 67, 10, smoothing, randomValues(670), {
        ignored: 4,
      }),
      example(`both, smoothed by ${smoothing}`, 3, 301, smoothing, randomValues(903), {
        weights: randomValues(301, 2).map((value) => 1 + value),
        ignored: 10,
      }),
    ]),
    {
      ...example(
        "a long row",
        1,
        300_000,
        0.1,
        randomValues(300_000).map((value) => 1 + value / 8),
      ),
      tolerance: 1e-6,
      half: false,
    },
  ]),
];

function example(
  name: string,
  N: number,
  C: number,
  smoothing: number,
  x: Float32Array,
  { weights, ignored }: { weights?: Float32Array; ignored?: number } = {},
) {
  const params = { N, C, smoothing, scale: 0.25, ignored: ignored ?? 0 };
  const labels = Uint32Array.from({ length: N }, (_, n) => (7 * n + 3) % C);
  const ignoring = ignored !== undefined;
  const { loss, dx, rowWeights } = crossEntropyReference(x, labels, params, weights, ignoring);
  const given = weights !== undefined || ignoring;
  return {
    name,
    params,
    holes: { WEIGHTED: weights !== undefined, IGNORING: ignoring },
    reads: [x, labels, weights ?? new Float32Array(1)],
    writes: [new Float32Array(N), new Float32Array(N * C), new Float32Array(given ? N : 1)],
    expected: [loss, dx, given ? rowWeights : null] as (ArrayLike<number> | null)[],
    half: C > 1,
  };
}
