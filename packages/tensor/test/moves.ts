import { expect } from "vitest";
import { init, scope, type Tensor, tensor } from "../src/index.ts";
import { checkGradient } from "./gradient.ts";

type Numbers = readonly number[];
const size = (shape: Numbers) => shape.reduce((product, side) => product * side, 1);

/** 0, 1, 2, … in that shape. */
export const count = (...shape: number[]) =>
  tensor(
    Int32Array.from({ length: size(shape) }, (_, i) => i),
    shape,
  );

/** y[k] = x[from(k)] for all positions k of `shape`; 0 where `from` gives nothing. */
export function picked(of: Numbers, shape: Numbers, from: (k: number[]) => Numbers | undefined) {
  return (x: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: size(shape) }, (_, i) => {
      const k: number[] = [];
      for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
        k.unshift(rest % shape[axis]!);
        rest = Math.floor(rest / shape[axis]!);
      }
      const at = from(k);
      return at ? x[at.reduce((sum, position, axis) => sum * of[axis]! + position, 0)]! : 0;
    });
}

/**
 * Compare an op that only moves elements, exactly, on numbers of every type; and its gradient. `op` takes a tensor of
 * the shape `of` to one of `shape`, in which position k holds what `from(k)` has, or 0 where that is nothing.
 */
export async function checkMoves(
  op: (x: Tensor) => Tensor,
  of: Numbers,
  shape: Numbers,
  from: (k: number[]) => Numbers | undefined,
) {
  const device = await init();
  const reference = picked(of, shape, from);
  const whole = Int32Array.from({ length: size(of) }, (_, i) => 0x7f800001 + i); // NaNs, taken for floats
  const y = scope(() => op(tensor(whole, of)));
  expect(y.shape).toEqual(shape);
  expect([...(await y.data())]).toEqual([...reference(whole)]);
  y.dispose();
  await checkGradient({ op, reference, shapes: [of], tolerance: 1e-7 });
  if (device.adapter.features.has("shader-f16")) {
    const small = Float32Array.from({ length: size(of) }, (_, i) => i % 1024);
    const z = scope(() => op(tensor(small, of, { dtype: "f16" })));
    expect(z.dtype).toBe("f16");
    expect([...(await z.data())]).toEqual([...reference(small)]);
    z.dispose();
  }
}
