import { isInteger } from "../core/dtype.ts";
import { scope } from "../core/scope.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { cast } from "./cast.ts";
import { gather } from "./gather.ts";

/** The elements of x at these places along an axis, known on the host. */
export const picked = (x: Tensor, places: readonly number[], axis: number): Tensor =>
  scope(() => gather(x, tensor(Int32Array.from(places), [places.length], { device: x.device }), axis));

/**
 * `f` of x along one axis after the other: a new tensor, also where there is nothing to do. Its steps compute in f32; it has the
 * type of an x of floats, and that of the last step for whole numbers, between which there may be others.
 */
export const alongEach = (
  x: Tensor,
  axes: readonly number[],
  f: (y: Tensor, axis: number) => Tensor,
): Tensor =>
  scope(() => {
    const y = axes.reduce(f, x);
    return cast(y, isInteger(x.dtype) ? y.dtype : x.dtype);
  });

/**
 * Modes of NumPy: `reflect` mirrors at the outermost element, `symmetric` beside it, `edge` repeats it (PyTorch's
 * `replicate`), `wrap` goes on from the other side (PyTorch's `circular`).
 */
export type PadMode = "reflect" | "edge" | "symmetric" | "wrap";

/** Place that position `at`, which may be outside, shows of an axis of `side` elements. */
const PLACES: Readonly<Record<PadMode, (at: number, side: number) => number>> = {
  reflect(at, side) {
    const period = Math.max(1, 2 * (side - 1));
    const inside = ((at % period) + period) % period;
    return inside < side ? inside : period - inside;
  },
  symmetric(at, side) {
    const inside = ((at % (2 * side)) + 2 * side) % (2 * side);
    return inside < side ? inside : 2 * side - 1 - inside;
  },
  edge: (at, side) => Math.min(Math.max(at, 0), side - 1),
  wrap: (at, side) => ((at % side) + side) % side,
};

/**
 * With elements of x itself before and after each axis: for `pad`.
 *
 * @throws ShapeError if an axis that is padded has no elements; TypeError if there is no such mode.
 */
export function paddedWithItself(
  x: Tensor,
  padding: readonly (readonly [number, number])[],
  mode: PadMode,
): Tensor {
  if (!Object.hasOwn(PLACES, mode))
    throw new TypeError(`pad: there is no mode ${mode}; there are ${Object.keys(PLACES).join(", ")}.`);
  return alongEach(x, [...padding.keys()], (y, axis) => {
    const [before, after] = padding[axis]!;
    if (before + after === 0) return y;
    const side = x.shape[axis]!;
    if (side === 0) throw new ShapeError(`pad: axis ${axis} has no element to repeat. x is [${x.shape}].`);
    const places = Array.from({ length: before + side + after }, (_, i) => PLACES[mode](i - before, side));
    return picked(y, places, axis);
  });
}
