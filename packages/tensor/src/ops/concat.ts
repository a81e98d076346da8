import { differentiable } from "../core/autograd.ts";
import type { DType } from "../core/dtype.ts";
import { isSame, type Shape, strides } from "../core/shape.ts";
import { checkTensors, empty, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { precisionOn } from "../gpu/precision.ts";
import { axisOf, newAxisOf } from "./axes.ts";
import { cast } from "./cast.ts";
import { gathered, scatter } from "./strided-copy.ts";

/**
 * Tensors one after the other along an axis, which alone may differ.
 *
 * xs `[…]` each → `[…]`, with the sum of the sides along `axis`
 *
 * @throws ShapeError if there are no tensors, they differ along another axis, or in type.
 */
export function concat(given: readonly Tensor[], axis = 0): Tensor {
  const xs = widened("concat", given);
  const first = firstOf("concat", xs);
  const at = axisOf("concat", first.shape, axis);
  const others = (shape: Shape) => shape.map((side, i) => (i === at ? -1 : side));
  checkAlike("concat", xs, (shape) => isSame(others(shape), others(first.shape)), `all axes but ${at}`);
  const side = xs.reduce((sum, x) => sum + x.shape[at]!, 0);
  const shape = first.shape.map((own, i) => (i === at ? side : own));
  return joined(
    "concat",
    xs,
    shape,
    xs.map((x) => x.shape),
    at,
  );
}

/**
 * Tensors of one shape, joined along a new axis.
 *
 * xs `[…]` each → `[…]` with an axis of as many elements as there are tensors, at `axis` of the result
 *
 * @throws ShapeError if there are no tensors, or they differ in shape or type.
 */
export function stack(given: readonly Tensor[], axis = 0): Tensor {
  const xs = widened("stack", given);
  const first = firstOf("stack", xs);
  const at = newAxisOf("stack", first.shape, axis);
  checkAlike("stack", xs, (shape) => isSame(shape, first.shape), "their shapes");
  const with1 = [...first.shape.slice(0, at), 1, ...first.shape.slice(at)];
  const shape = with1.map((own, i) => (i === at ? xs.length : own));
  return joined(
    "stack",
    xs,
    shape,
    xs.map(() => with1),
    at,
  );
}

/** All in f32 where one is, if what is f16 is that only by the precision of products. */
const widened = (op: string, xs: readonly Tensor[]): readonly Tensor[] => {
  checkTensors(op, Object.fromEntries(xs.map((x, i) => [`xs[${i}]`, x])));
  return xs.some(({ dtype }) => dtype === "f32")
    ? xs.map((x) => (x.dtype === "f16" && precisionOn(x.device) === "f16" ? cast(x, "f32") : x))
    : xs;
};

function joined(
  op: string,
  xs: readonly Tensor[],
  shape: Shape,
  parts: readonly Shape[],
  axis: number,
): Tensor {
  const y = empty(shape, xs[0]!.dtype, xs[0]!.device);
  const along = strides(shape);
  let before = 0;
  const places = parts.map((part) => {
    const place = { strides: along, offset: before * along[axis]! };
    before += part[axis]!;
    return place;
  });
  for (const [i, x] of xs.entries()) {
    const part = x.view(parts[i]);
    scatter(part, y, places[i]!);
    part.dispose();
  }
  return differentiable(op, y, xs, (dy) =>
    xs.map((x, i) => () => {
      const dx = gathered(op, dy, parts[i]!, places[i]!);
      if (isSame(parts[i]!, x.shape)) return dx;
      const view = dx.view(x.shape);
      dx.dispose();
      return view;
    }),
  );
}

function firstOf(op: string, xs: readonly Tensor[]): Tensor {
  const [first] = xs;
  if (!first) throw new ShapeError(`${op}: there are no tensors to join.`);
  return first;
}

function checkAlike(op: string, xs: readonly Tensor[], fits: (shape: Shape) => boolean, what: string): void {
  const { dtype }: { dtype: DType } = xs[0]!;
  const shapes = () => xs.map((x, i) => `xs[${i}] is [${x.shape}]`).join("; ");
  for (const [i, x] of xs.entries()) {
    if (x.shape.length !== xs[0]!.shape.length || !fits(x.shape)) {
      throw new ShapeError(`${op}: xs[0] and xs[${i}] have to agree in ${what}. ${shapes()}.`);
    }
    if (x.device !== xs[0]!.device) {
      throw new ShapeError(`${op}: xs[0] and xs[${i}] are tensors of two devices. ${shapes()}.`);
    }
    if (x.dtype !== dtype) {
      throw new ShapeError(
        `${op}: xs[0] is ${dtype} but xs[${i}] is ${x.dtype}; cast one of them. ${shapes()}.`,
      );
    }
  }
}
