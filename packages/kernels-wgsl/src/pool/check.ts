import { type Check, check, randomValues } from "../check.ts";
import {
  avgPool,
  avgPoolGrad,
  avgPoolGradReference,
  avgPoolReference,
  maxPool,
  maxPoolGrad,
  maxPoolGradReference,
  maxPoolIndex,
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
/** More than a strip of outputs, whose windows overlap by one column and by two, and by more than half. */
const WIDE = [
  pool([1, 3, 71, 4], [2, 3], [1, 2], [0, 1]),
  pool([1, 2, 53, 3], [1, 4], [1, 2], [0, 2]),
  pool([1, 3, 23, 4], [3, 4], [2, 1], [1, 1]),
];
/** Windows of more than three strides, and several workgroups of each variant. */
const DEEP = [
  pool([2, 19, 21, 20], [7, 7], [2, 2], [3, 3]),
  pool([1, 9, 37, 36], [5, 4], [1, 1], [2, 1]),
  pool([3, 11, 17, 21], [4, 5], [1, 1]),
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

/** In pairs, of which the last has a NaN with a sign. */
const OUTSIDE_ORDER = Float32Array.of(Number.NaN, 1, 2, Number.NaN, -1 / 0, -1 / 0, 3, 0);
new DataView(OUTSIDE_ORDER.buffer).setUint32(28, 0xffc00000, true);

export const checks: Check[] = [
  check(maxPool, () => [
    ...[...SHAPES, ...DILATED, ...WIDE, ...DEEP].map((params) => {
      const x = tied(inputs(params));
      const { y } = maxPoolReference(x, params);
      return { name: name(params), params, reads: [x], writes: [new Float32Array(y.length)], expected: [y] };
    }),
    {
      name: "NaN and -∞",
      params: pool([1, 1, 8, 1], [1, 2], [1, 2]),
      half: false,
      reads: [OUTSIDE_ORDER],
      writes: [new Float32Array(4)],
      expected: [[Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, Number.NaN]],
    },
    {
      name: "NaN that two windows share",
      params: pool([1, 1, 7, 1], [1, 3], [1, 2]),
      half: false,
      reads: [Float32Array.of(0, 1, Number.NaN, 2, 3, 4, 5)],
      writes: [new Float32Array(3)],
      expected: [[Number.NaN, Number.NaN, 5]],
    },
  ]),
  check(maxPoolIndex, () => [
    ...[...SHAPES, ...DILATED, ...DEEP].map((params) => {
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
      name: "NaN and -∞",
      params: pool([1, 1, 8, 1], [1, 2], [1, 2]),
      half: false,
      reads: [OUTSIDE_ORDER],
      writes: [new Float32Array(4), new Uint32Array(4)],
      expected: [
        [Number.NaN, Number.NaN, Number.NEGATIVE_INFINITY, Number.NaN],
        [0, 3, 4, 7],
      ],
    },
  ]),
  check(maxPoolGrad, () =>
    [...SHAPES, ...DILATED, ...DEEP].map((params) => {
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
    [...SHAPES, ...DEEP].flatMap((params) =>
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
    [...SHAPES, ...DEEP].flatMap((params) =>
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
