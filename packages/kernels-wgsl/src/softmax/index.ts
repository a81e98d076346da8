import { type Kernel, spread, type Variants } from "../launch/kernel.ts";
import rows from "./rows.wgsl?raw";
import rowsGrad from "./rowsGrad.wgsl?raw";
import serial from "./serial.wgsl?raw";
import serialGrad from "./serialGrad.wgsl?raw";

export type SoftmaxParams = Record<"outer" | "size" | "inner", number>;

const params = { outer: "u32", size: "u32", inner: "u32" } as const;

// A barrier costs a software rasteriser more than the whole walk along a row.
const variants = (side: string, alone: string): Variants<SoftmaxParams> => ({
  plain: {
    name: "serial",
    source: alone,
    workgroups: ({ outer, size, inner }) => spread(size === 0 ? 0 : Math.ceil((outer * inner) / 64)),
  },
  gpu: [
    {
      name: "rows",
      source: side,
      fits: ({ inner }) => inner === 1,
      workgroups: ({ outer, size }) => spread(size === 0 ? 0 : outer),
    },
  ],
});

const prefer = ({ size }: SoftmaxParams): string => (size >= 32 ? "rows" : "serial");

/**
 * y = e^x / Σ e^x along the middle axis.
 *
 * Holes: `LOG`, whether y is the logarithm of that.
 */
export const softmax: Kernel<SoftmaxParams> = {
  name: "softmax",
  reads: ["x"],
  writes: ["y"],
  params,
  variants: variants(rows, serial),
  prefer,
  cost: ({ outer, size, inner }) => ({ flops: 5 * outer * size * inner, bytes: 8 * outer * size * inner }),
};

/** dx from y and dy. Holes: `LOG`, as for `softmax`. */
export const softmaxGrad: Kernel<SoftmaxParams> = {
  name: "softmaxGrad",
  reads: ["y", "dy"],
  writes: ["dx"],
  params,
  variants: variants(rowsGrad, serialGrad),
  prefer,
  cost: ({ outer, size, inner }) => ({ flops: 4 * outer * size * inner, bytes: 12 * outer * size * inner }),
};

/** Positions along the middle axis, for each place on the other two. */
function* columns({ outer, size, inner }: SoftmaxParams): Generator<number[]> {
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) yield Array.from({ length: size }, (_, k) => (o * size + k) * inner + i);
}

/** The definition, in float64. */
export function softmaxReference(x: ArrayLike<number>, p: SoftmaxParams, log = false): Float64Array {
  const y = new Float64Array(x.length);
  for (const column of columns(p)) {
    const most = column.reduce((m, at) => Math.max(m, x[at]!), Number.NEGATIVE_INFINITY);
    const sum = column.reduce((total, at) => total + Math.exp(x[at]! - most), 0);
    for (const at of column) y[at] = log ? x[at]! - most - Math.log(sum) : Math.exp(x[at]! - most) / sum;
  }
  return y;
}

/** dx = Jᵀ · dy with the Jacobian J of each column, in float64. */
export function softmaxGradReference(
  y: ArrayLike<number>,
  dy: ArrayLike<number>,
  p: SoftmaxParams,
  log = false,
): Float64Array {
  const dx = new Float64Array(y.length);
  for (const column of columns(p))
    for (const from of column)
      for (const to of column) {
        const same = from === to ? 1 : 0;
        dx[to]! += dy[from]! * (log ? same - Math.exp(y[to]!) : y[from]! * (same - y[to]!));
      }
  return dx;
}
