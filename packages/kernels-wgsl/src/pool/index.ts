import { type Kernel, spread, type Variant, type Variants } from "../launch/kernel.ts";
import avgPoolSource from "./avgPool.wgsl?raw";
import avgPoolGradSource from "./avgPoolGrad.wgsl?raw";
import maxPoolSource from "./maxPool.wgsl?raw";
import maxPoolGradSource from "./maxPoolGrad.wgsl?raw";
import maxPoolIndexSource from "./maxPoolIndex.wgsl?raw";

/** N batch · H W image · C channels · R S window · P Q output. */
export type PoolParams = Record<
  | "N"
  | "H"
  | "W"
  | "C"
  | "R"
  | "S"
  | "P"
  | "Q"
  | "strideRows"
  | "strideCols"
  | "padTop"
  | "padLeft"
  | "dilationRows"
  | "dilationCols",
  number
>;

const params = {
  N: "u32",
  H: "u32",
  W: "u32",
  C: "u32",
  R: "u32",
  S: "u32",
  P: "u32",
  Q: "u32",
  strideRows: "u32",
  strideCols: "u32",
  padTop: "u32",
  padLeft: "u32",
  dilationRows: "u32",
  dilationCols: "u32",
} as const;

const FOUR = { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" };
const THREADS = 64;
const STRIP = 8;

/** An invocation takes four channels, or one where they cannot be divided by four. */
function byChannels(
  source: string,
  holes: Variant["holes"],
  invocations: (p: PoolParams) => number,
): Variants<PoolParams> {
  const channels4: Variant<PoolParams> = {
    name: "channels4",
    source,
    holes: { ...FOUR, ...holes },
    fits: ({ C }) => C % 4 === 0,
    workgroups: (p) => spread(Math.ceil(invocations(p) / 4 / THREADS)),
  };
  return {
    plain: { name: "channels", source, workgroups: (p) => spread(Math.ceil(invocations(p) / THREADS)) },
    gpu: [channels4],
    rasteriser: [channels4],
  };
}

const outputs = ({ N, P, Q, C }: PoolParams) => N * P * Q * C;
const inputs = ({ N, H, W, C }: PoolParams) => N * H * W * C;
const outputStrips = ({ N, P, Q, C }: PoolParams) => N * P * Math.ceil(Q / STRIP) * C;
const inputStrips = ({ N, H, W, C }: PoolParams) => N * H * Math.ceil(W / STRIP) * C;

/** Largest element of each window. */
export const maxPool: Kernel<PoolParams> = {
  name: "maxPool",
  reads: ["x"],
  writes: ["y"],
  params,
  variants: byChannels(maxPoolSource, { Bits: "vec4u" }, ({ N, P, Q, C }) => N * P * Math.ceil(Q / 16) * C),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};

/** Largest element of each window, and where in the image it is. */
export const maxPoolIndex: Kernel<PoolParams> = {
  name: "maxPoolIndex",
  reads: ["x"],
  writes: ["y", "index"],
  types: { index: "u32" },
  params,
  variants: byChannels(maxPoolIndexSource, { Bits: "vec4u" }, outputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + 2 * outputs(p)) }),
};

/** dx from dy and the index of `maxPoolIndex`. */
export const maxPoolGrad: Kernel<PoolParams> = {
  name: "maxPoolGrad",
  reads: ["dy", "index"],
  writes: ["dx"],
  types: { index: "u32" },
  params,
  variants: byChannels(maxPoolGradSource, { Bits: "vec4u" }, inputStrips),
  cost: (p) => ({ flops: outputs(p), bytes: 4 * (inputs(p) + 2 * outputs(p)) }),
};

/**
 * Mean of each window.
 *
 * Holes: `COUNT_PAD`, whether the window's elements outside the image count.
 */
export const avgPool: Kernel<PoolParams> = {
  name: "avgPool",
  reads: ["x"],
  writes: ["y"],
  params,
  variants: byChannels(avgPoolSource, {}, outputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};

/** Dilation has to be 1. Holes: `COUNT_PAD`, as for `avgPool`. */
export const avgPoolGrad: Kernel<PoolParams> = {
  name: "avgPoolGrad",
  reads: ["dy"],
  writes: ["dx"],
  params,
  variants: byChannels(avgPoolGradSource, {}, inputStrips),
  cost: (p) => ({ flops: outputs(p) * p.R * p.S, bytes: 4 * (inputs(p) + outputs(p)) }),
};

/** For each output, the positions of its window's elements in x, row by row. */
function* windows(p: PoolParams): Generator<readonly [output: number, elements: number[]]> {
  for (let i = 0; i < outputs(p); i++) {
    const c = i % p.C;
    const q = Math.floor(i / p.C) % p.Q;
    const row = Math.floor(i / p.C / p.Q) % p.P;
    const n = Math.floor(i / p.C / p.Q / p.P);
    const elements: number[] = [];
    for (let r = 0; r < p.R; r++)
      for (let s = 0; s < p.S; s++) {
        const h = row * p.strideRows + r * p.dilationRows - p.padTop;
        const v = q * p.strideCols + s * p.dilationCols - p.padLeft;
        if (h >= 0 && h < p.H && v >= 0 && v < p.W) elements.push(((n * p.H + h) * p.W + v) * p.C + c);
      }
    yield [i, elements];
  }
}

/** The definition; `index` counts within an image and channel, up to H·W for a window that meets no pixel. */
export function maxPoolReference(
  x: ArrayLike<number>,
  p: PoolParams,
): { y: Float64Array; index: Uint32Array } {
  const y = new Float64Array(outputs(p)).fill(Number.NEGATIVE_INFINITY);
  const index = new Uint32Array(y.length).fill(p.H * p.W);
  for (const [i, elements] of windows(p)) {
    if (elements.length === 0) continue;
    const better = (a: number, b: number) => (x[b]! > x[a]! || Number.isNaN(x[b]!) ? b : a);
    const best = elements.reduce(better);
    y[i] = x[best]!;
    index[i] = Math.floor(best / p.C) % (p.H * p.W);
  }
  return { y, index };
}

export function maxPoolGradReference(
  dy: ArrayLike<number>,
  index: ArrayLike<number>,
  p: PoolParams,
): Float64Array {
  const dx = new Float64Array(inputs(p));
  for (const [i, elements] of windows(p)) {
    const best = elements.find((at) => Math.floor(at / p.C) % (p.H * p.W) === index[i]);
    if (best !== undefined) dx[best]! += dy[i]!;
  }
  return dx;
}

/** The definition, in float64. */
export function avgPoolReference(x: ArrayLike<number>, p: PoolParams, countPad = true): Float64Array {
  const y = new Float64Array(outputs(p));
  for (const [i, elements] of windows(p)) {
    const count = countPad ? p.R * p.S : elements.length;
    for (const at of elements) y[i]! += x[at]! / count;
  }
  return y;
}

export function avgPoolGradReference(dy: ArrayLike<number>, p: PoolParams, countPad = true): Float64Array {
  const dx = new Float64Array(inputs(p));
  for (const [i, elements] of windows(p)) {
    const count = countPad ? p.R * p.S : elements.length;
    for (const at of elements) dx[at]! += dy[i]! / count;
  }
  return dx;
}
