import { checkTensors, type Tensor, tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { add, mul } from "./arithmetic.ts";
import { alongEach, picked } from "./pad-modes.ts";
import { listed, type Pair, pair } from "./window.ts";

export interface InterpolateOptions {
  /** Rows and columns of the result. Either this or `scale` is given. */
  size?: Pair | undefined;
  /** Factor of rows and columns; the result is rounded down. */
  scale?: number | readonly [rows: number, columns: number] | undefined;
  /** `nearest` if absent. */
  mode?: "nearest" | "bilinear" | undefined;
  /** True if the corners' centres stay where they are; false if absent. Of `bilinear` only. */
  alignCorners?: boolean | undefined;
}

/**
 * Images of another size, as PyTorch's `interpolate` has them, without antialiasing.
 *
 * x `[N, H, W, C]` → `[N, P, Q, C]`
 *
 * @throws ShapeError if x is no batch of images, or the size makes no sense.
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  checkTensors("interpolate", { x });
  checkOptions("interpolate", options, ["size", "scale", "mode", "alignCorners"]);
  const fail = (what: string) => new ShapeError(`interpolate: ${what}. x is [${x.shape}] as [N, H, W, C].`);
  if (x.shape.length !== 4 || x.size === 0) throw fail("x has to be images");
  const { mode = "nearest", alignCorners = false } = options;
  const { size, scales } = checkedSize(options, fail);
  const sides = [x.shape[1]!, x.shape[2]!] as const;
  const wanted =
    size ?? pair("size", [sides[0] * scales![0], sides[1] * scales![1]].map(Math.floor) as never, 1, fail);
  return alongEach(x, [1, 2], (y, axis) => {
    const i = axis - 1;
    const [from, to] = [sides[i]!, wanted[i]!];
    if (from === to) return y;
    // PyTorch takes the scale that it is given, not the one that the rounded size has.
    const step = scales ? 1 / scales[i]! : from / to;
    return mode === "nearest" ? nearest(y, axis, to, step) : linear(y, axis, to, step, alignCorners);
  });
}

/**
 * The size or the scales that options ask for, one of each for rows and columns.
 *
 * @throws what `fail` makes, if the options make no sense for any image.
 */
export function checkedSize<E extends Error>(
  { size, scale, mode = "nearest", alignCorners = false }: InterpolateOptions,
  fail: (what: string) => E,
): { size?: readonly [number, number]; scales?: readonly [number, number] } {
  if ((size === undefined) === (scale === undefined)) throw fail("either size or scale has to be given");
  if (mode !== "nearest" && mode !== "bilinear")
    throw fail(`there is no mode ${mode}; there are nearest, bilinear`);
  if (mode === "nearest" && alignCorners) throw fail("alignCorners is of bilinear only");
  if (size !== undefined) return { size: pair("size", size, 1, fail) };
  const scales = (listed(scale) ?? [scale, scale]) as [number, number];
  if (scales.length !== 2 || !scales.every((factor) => factor > 0 && factor < Infinity))
    throw fail(`scale is [${scales.map(String)}], not numbers above 0`);
  return { scales };
}

function nearest(x: Tensor, axis: number, to: number, step: number): Tensor {
  const last = x.shape[axis]! - 1;
  const places = Array.from({ length: to }, (_, p) =>
    Math.min(Math.floor(Math.fround(p * Math.fround(step))), last),
  );
  return picked(x, places, axis);
}

/** Between the two neighbours of each place, along one axis. */
function linear(x: Tensor, axis: number, to: number, step: number, alignCorners: boolean): Tensor {
  const last = x.shape[axis]! - 1;
  const exact = Array.from({ length: to }, (_, p) =>
    alignCorners ? (to > 1 ? (p * last) / (to - 1) : 0) : Math.max((p + 0.5) * step - 0.5, 0),
  );
  const low = exact.map((at) => Math.min(Math.floor(at), last));
  const high = low.map((at) => Math.min(at + 1, last));
  const share = Float32Array.from(exact, (at, p) => at - low[p]!);
  const along = x.shape.map((_, i) => (i === axis ? to : 1));
  const weight = (values: Float32Array) => tensor(values, along, { device: x.device });
  return add(
    mul(picked(x, low, axis), weight(share.map((value) => 1 - value))),
    mul(picked(x, high, axis), weight(share)),
  );
}
