import { inputs, outputs, type PoolParams } from "./channels.ts";

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
