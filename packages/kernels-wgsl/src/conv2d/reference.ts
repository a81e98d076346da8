import type { Conv2dParams } from "./params.ts";

type Visit = (x: number, w: number, y: number) => void;

/** The definition, in float64: seven loops and no cleverness. Tests trust this and nothing else. */
export function conv2dReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  p: Conv2dParams,
): Float64Array<ArrayBuffer> {
  const y = new Float64Array(p.N * p.P * p.Q * p.O);
  products(p, (i, j, k) => {
    y[k]! += x[i]! * w[j]!;
  });
  return y;
}

/** dx[i] = Σ dy[k] · w[j] over the products x[i] · w[j] that y[k] sums. */
export function conv2dInputGradReference(
  dy: ArrayLike<number>,
  w: ArrayLike<number>,
  p: Conv2dParams,
): Float64Array<ArrayBuffer> {
  const dx = new Float64Array(p.N * p.H * p.W * p.C);
  products(p, (i, j, k) => {
    dx[i]! += dy[k]! * w[j]!;
  });
  return dx;
}

/** dw[j] = Σ x[i] · dy[k] over the products x[i] · w[j] that y[k] sums. */
export function conv2dWeightGradReference(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  p: Conv2dParams,
): Float64Array<ArrayBuffer> {
  const dw = new Float64Array((p.R * p.S * p.C * p.O) / p.groups);
  products(p, (i, j, k) => {
    dw[j]! += x[i]! * dy[k]!;
  });
  return dw;
}

/** Visit the positions in x, w and y of every product that the convolution sums. */
function products(p: Conv2dParams, visit: Visit): void {
  const inputs = p.C / p.groups;
  const outputs = p.O / p.groups;
  for (let n = 0; n < p.N; n++)
    for (let row = 0; row < p.P; row++)
      for (let col = 0; col < p.Q; col++)
        for (let o = 0; o < p.O; o++)
          for (let r = 0; r < p.R; r++)
            for (let s = 0; s < p.S; s++) {
              const h = row * p.strideRows + r * p.dilationRows - p.padTop;
              const v = col * p.strideCols + s * p.dilationCols - p.padLeft;
              if (h < 0 || h >= p.H || v < 0 || v >= p.W) continue;
              const first = Math.floor(o / outputs) * inputs;
              for (let c = 0; c < inputs; c++)
                visit(
                  ((n * p.H + h) * p.W + v) * p.C + first + c,
                  ((r * p.S + s) * inputs + c) * p.O + o,
                  ((n * p.P + row) * p.Q + col) * p.O + o,
                );
            }
}
