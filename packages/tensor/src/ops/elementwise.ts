import { bits, type Scalar } from "@shadegrad/kernels-wgsl";
import { broadcast, dense, map } from "@shadegrad/kernels-wgsl/map";
import { differentiable } from "../core/autograd.ts";
import { run } from "../core/run.ts";
import { type DType, isInteger, type Shape, sizeOf, Tensor } from "../core/tensor.ts";
import { kindOf, ShapeError } from "../errors.ts";
import { sumTo } from "./reduce.ts";

/** A tensor, or a number that counts as a tensor without axes. */
export type Operand = Tensor | number;

/** A WGSL expression for numbers and for vectors of four alike, given the names of its operands. */
export type Expression = (...names: string[]) => string;

export interface ElementwiseOptions {
  /** What to compute with, in place of f32 where any operand is fractional and i32 or u32 otherwise. */
  compute?: Scalar | undefined;
  /** What y holds, in place of what is computed with; f16 where all fractional tensors are. */
  dtype?: DType;
  /** Who complains. */
  op?: string;
}

/**
 * y = f(…) element by element, operands broadcast to one shape; not recorded.
 *
 * At most three tensors and two numbers. A number's value is no part of the shader.
 */
export function elementwise(
  f: Expression,
  operands: readonly Operand[],
  { compute = computedWith(operands), dtype = heldAs(operands, compute), op }: ElementwiseOptions = {},
): Tensor {
  const tensors = operands.filter((operand) => operand instanceof Tensor);
  const numbers = operands.filter((operand) => typeof operand === "number");
  const free = { tensor: ["a", "b", "c"], number: ["s", "t"] };
  const names = operands.map((operand) => free[operand instanceof Tensor ? "tensor" : "number"].shift()!);
  const [a, b = a, c = a] = tensors as [Tensor, Tensor?, Tensor?];
  const [s, t] = [0, 1].map((i) => bits(compute, numbers[i] ?? 0));
  const shape = common(tensors.map((tensor) => tensor.shape));
  const params = tensors.every((tensor) => isSame(tensor.shape, shape))
    ? dense(a.size, s, t)
    : broadcast(
        shape,
        tensors.map((tensor) => strides(tensor.shape, shape)),
        s,
        t,
      );
  const types = { A: a.dtype, B: b.dtype, C: c.dtype, Y: dtype, S: compute };
  const plain = Object.values(types).every((type) => type === "f32");
  const holes = { f: f(...names), ...(plain ? {} : types) };
  return run(map, params, [a, b, c], { y: { shape, dtype } }, { holes, op }).y;
}

/** Fractional numbers need f32, and those beyond 32 bits; of whole ones, i32 holds those of both signs. */
function computedWith(operands: readonly Operand[]): Scalar {
  const fit = (types: readonly DType[], least: number, most: number) =>
    operands.every((x) =>
      x instanceof Tensor ? types.includes(x.dtype) : Number.isInteger(x) && least <= x && x <= most,
    );
  if (fit(["u32"], 0, 2 ** 32 - 1)) return "u32";
  return fit(["i32", "u32"], -(2 ** 31), 2 ** 31 - 1) ? "i32" : "f32";
}

function heldAs(operands: readonly Operand[], compute: Scalar): DType {
  if (compute !== "f32") return compute;
  const types = operands.flatMap((x) => (x instanceof Tensor && !isInteger(x.dtype) ? [x.dtype] : []));
  return types.length > 0 && types.every((type) => type === "f16") ? "f16" : "f32";
}

/** An elementwise op of one tensor and perhaps numbers, with its gradient as a function of dy and y. */
export function unary(
  op: string,
  x: Tensor,
  f: Expression,
  gradient?: (dy: Tensor, y: Tensor) => Tensor,
  { numbers = [], ...options }: ElementwiseOptions & { numbers?: readonly number[] } = {},
): Tensor {
  const y = elementwise(f, [x, ...numbers], { ...options, op });
  return gradient ? differentiable(op, y, [x], (dy) => [() => gradient(dy, y)]) : y;
}

/** An elementwise op of two operands; each gradient, before it is summed to its operand's shape. */
export function binary(
  op: string,
  a: Operand,
  b: Operand,
  f: Expression,
  gradients?: (dy: Tensor, y: Tensor) => readonly [() => Tensor, () => Tensor],
  options: ElementwiseOptions = {},
): Tensor {
  checkBroadcast(op, { a, b });
  const y = elementwise(f, [a, b], { ...options, op });
  if (!gradients) return y;
  const operands = [a, b];
  const inputs = operands.filter((operand) => operand instanceof Tensor);
  return differentiable(op, y, inputs, (dy) => {
    const thunks = gradients(dy, y);
    return operands.flatMap((x, i) => (x instanceof Tensor ? [() => fitted(thunks[i]!(), x, dy)] : []));
  });
}

/** A gradient with the shape and type of its input; what it was computed from is freed, unless it is dy. */
export function fitted(
  gradient: Tensor,
  x: { readonly shape: Shape; readonly dtype: DType },
  dy: Tensor,
): Tensor {
  const summed = sumTo(gradient, x.shape);
  if (summed !== gradient && gradient !== dy) gradient.dispose();
  if (summed.dtype === x.dtype) return summed;
  const converted = elementwise((a) => a!, [summed], { dtype: x.dtype });
  if (summed !== dy) summed.dispose();
  return converted;
}

/**
 * @throws ShapeError unless the operands' shapes agree by NumPy's rules, and one is a tensor; TypeError
 *   where one is neither a tensor nor a number.
 */
export function checkBroadcast(op: string, operands: Readonly<Record<string, Operand>>): void {
  for (const [name, operand] of Object.entries(operands)) {
    if (operand instanceof Tensor || typeof operand === "number") continue;
    throw new TypeError(`${op}: ${name} is ${kindOf(operand)}, not a tensor or a number.`);
  }
  const tensors = Object.entries(operands).filter(
    (entry): entry is [string, Tensor] => entry[1] instanceof Tensor,
  );
  if (tensors.length === 0) {
    throw new ShapeError(
      `${op}: one of ${Object.keys(operands).join(", ")} has to be a tensor, but all are numbers.`,
    );
  }
  const depth = Math.max(...tensors.map(([, { shape }]) => shape.length));
  for (let back = 1; back <= depth; back++) {
    const sides = tensors.flatMap(([name, { shape }]) => {
      const side = shape[shape.length - back];
      return side === undefined || side === 1 ? [] : [{ name, side, axis: shape.length - back }];
    });
    const [first, ...others] = sides;
    const other = others.find(({ side }) => side !== first!.side);
    if (!first || !other) continue;
    const shapes = tensors.map(([name, { shape }]) => `${name} is [${shape}]`).join("; ");
    throw new ShapeError(
      `${op}: ${first.name} has ${first.side} elements along axis ${first.axis} but ${other.name} has ${other.side} along axis ${other.axis}. ${shapes}.`,
    );
  }
}

/** The shape that shapes broadcast to: aligned at their last axes, a side of 1 gives way. */
export function common(shapes: readonly Shape[]): Shape {
  const [first, ...others] = shapes as [Shape, ...Shape[]];
  if (others.every((shape) => isSame(shape, first))) return first;
  const depth = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: depth }, (_, axis) => {
    const sides = shapes.map((shape) => shape[axis + shape.length - depth] ?? 1);
    return sides.find((side) => side !== 1) ?? 1;
  });
}

/** Elements between neighbours of `x` along the axes of `y`, 0 along those that it repeats. */
export function strides(x: Shape, y: Shape = x): number[] {
  return y.map((_, axis) => {
    const own = axis + x.length - y.length;
    return own < 0 || (x[own] === 1 && y[axis] !== 1) ? 0 : sizeOf(x.slice(own + 1));
  });
}

export const isSame = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((side, i) => side === b[i]);
