import { differentiable } from "../core/autograd.ts";
import type { DType } from "../core/dtype.ts";
import { type ElementwiseOptions, type Expression, elementwise, type Operand } from "../core/map.ts";
import { checkDevices } from "../core/run.ts";
import { isSame, type Shape } from "../core/shape.ts";
import { checkTensors, Tensor } from "../core/tensor.ts";
import { checkNumbers, kindOf, ShapeError } from "../errors.ts";
import { sumTo } from "./reduce.ts";

interface NumberedOptions extends ElementwiseOptions {
  /** More operands, by the names of the op's arguments. */
  numbers?: Readonly<Record<string, number>>;
}

const NONE = {};

/** An elementwise op of one tensor and perhaps numbers, with its gradient as a function of dy and y. */
export function unary(
  op: string,
  x: Tensor,
  f: Expression,
  gradient?: (dy: Tensor, y: Tensor) => Tensor,
  { numbers = NONE, ...options }: NumberedOptions = {},
): Tensor {
  checkTensors(op, { x });
  checkNumbers(op, numbers);
  const y = elementwise(f, [x, ...Object.values(numbers)], { op, ...options });
  return gradient ? differentiable(op, y, [x], (dy) => [() => gradient(dy, y)]) : y;
}

/** An elementwise op of two operands and perhaps more numbers; each gradient, before it is summed to its operand's shape. */
export function binary(
  op: string,
  a: Operand,
  b: Operand,
  f: Expression,
  gradients?: (dy: Tensor, y: Tensor) => readonly [() => Tensor, () => Tensor],
  { numbers = NONE, ...options }: NumberedOptions = {},
): Tensor {
  checkBroadcast(op, { a, b });
  checkNumbers(op, numbers);
  const y = elementwise(f, [a, b, ...Object.values(numbers)], { op, ...options });
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
 * @throws ShapeError unless the operands' shapes agree by NumPy's rules, one is a tensor and all are of one device; TypeError
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
  checkDevices(op, Object.fromEntries(tensors));
  const [[, { shape: common }]] = tensors as [[string, Tensor]];
  if (tensors.every(([, { shape }]) => isSame(shape, common))) return;
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
