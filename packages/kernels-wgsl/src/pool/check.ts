import { type Check, check, randomValues } from "../check.ts";
import {
  avgPool,
  avgPoolGrad,
  avgPoolGradReference,
  avgPoolReference,
  maxPool,
  maxPoolGrad,
  maxPoolGradReference,
  maxPoolReference,
  type PoolParams,
} from "./index.ts";

const pool = (
  [N, H, W, C]: readonly [number, number, number, number],
  [R, S]: readonly [number, number],
  stride: readonly [number, number],
  pad: readonly [number, number] = [0, 0],
  dilation: readonly [number, number] = [1, 1],
): PoolParams => ({
  ...{ N, H, W, C, R, S },
  P: Math.floor((H + 2 * pad[0] - dilation[0] * (R - 1) - 1) / stride[0]) + 1,
  Q: Math.floor((W + 2 * pad[1] - dilation[1] * (S - 1) - 1) / stride[1]) + 1,
  ...{ strideRows: stride[0], strideCols: stride[1], padTop: pad[0], padLeft: pad[1] },
  ...{ dilationRows: dilation[0], dilationCols: dilation[1] },
});

const SHAPES = [
  pool([1, 3, 2, 1], [2, 2], [1, 1]),
  pool([1, 2, 2, 4], [2, 1], [1, 1]),
  pool([2, 7, 5, 3], [3, 3], [2, 2], [1, 1]),
  pool([1, 11, 13, 8], [3, 2], [1, 3], [1, 1]),
  pool([3, 5, 5, 7], [2, 2], [3, 3]),
  pool([1, 1, 1, 5], [1, 1], [1, 1]),
  pool([2, 8, 8, 4], [5, 5], [4, 4], [2, 2]),
];
const DILATED = [
  pool([2, 9, 7, 4], [3, 2], [2, 1], [1, 1], [2, 3]),
  pool([1, 2, 2, 4], [2, 2], [1, 1], [2, 2], [3, 3]), // some windows meet no pixel
];

const name = ({ N, H, W, C, R, S, dilationRows }: PoolParams) =>
  `${R}×${S} of [${[N, H, W, C]}]${dilationRows > 1 ? ", dilated" : ""}`;
const inputs = ({ N, H, W, C }: PoolParams) => N * H * W * C;
const outputs = ({ N, P, Q, C }: PoolParams) => N * P * Q * C;
/** Few different values, so that there are ties. */
const tied = (length: number) => randomValues(length).map((value) => Math.round(2 * value) / 2);

export const checks: Check[] = [
  check(maxPool, () => [
    ...[...SHAPES, ...DILATED].map((params) => {
      const x = tied(inputs(params));
      const { y, index } = maxPoolReference(x, params);
      return {
        name: name(params),
        params,
        reads: [x],
        writes: [new Float32Array(y.length), new Uint32Array(y.length)],
        expected: [y, index],
      };
    }),
    {
      name: "y alone, of NaN and -∞",
      params: pool([1, 1, 6, 1], [1, 2], [1, 2]),
      holes: { INDEX: false },
      half: false,
      reads: [
        Float32Array.of(Number.NaN, 1, 2, Number.NaN, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY),
      ],
      writes: [new Float32Array(3), new Uint32Array(0)],
      expected: [[Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY], []],
    },
  ]),
  check(maxPoolGrad, () =>
    [...SHAPES, ...DILATED].map((params) => {
      const { index } = maxPoolReference(tied(inputs(params)), params);
      const dy = randomValues(outputs(params), 2);
      return {
        name: name(params),
        params,
        reads: [dy, index],
        writes: [new Float32Array(inputs(params))],
        expected: [maxPoolGradReference(dy, index, params)],
      };
    }),
  ),
  check(avgPool, () =>
    SHAPES.flatMap((params) =>
      [true, false].map((COUNT_PAD) => {
        const x = randomValues(inputs(params));
        return {
          name: `${name(params)}${COUNT_PAD ? "" : " without padding"}`,
          params,
          holes: { COUNT_PAD },
          reads: [x],
          writes: [new Float32Array(outputs(params))],
          expected: [avgPoolReference(x, params, COUNT_PAD)],
        };
      }),
    ),
  ),
  check(avgPoolGrad, () =>
    SHAPES.flatMap((params) =>
      [true, false].map((COUNT_PAD) => {
        const dy = randomValues(outputs(params));
        return {
          name: `${name(params)}${COUNT_PAD ? "" : " without padding"}`,
          params,
          holes: { COUNT_PAD },
          reads: [dy],
          writes: [new Float32Array(inputs(params))],
          expected: [avgPoolGradReference(dy, params, COUNT_PAD)],
        };
      }),
    ),
  ),
];
