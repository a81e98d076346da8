import { fill, fillParams } from "@shadegrad/kernels-wgsl/fill";
import { checkNumbers, checkOptions, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import { checkType } from "./dtype.ts";
import { checkHolds } from "./numbers.ts";
import { run } from "./run.ts";
import { checkShape, type Shape, sizeOf } from "./shape.ts";
import { TENSOR_OPTIONS, type Tensor, type TensorOptions, tensor } from "./tensor.ts";

/** A tensor of zeros. */
export const zeros = (shape: Shape, options?: TensorOptions): Tensor => constant("zeros", shape, 0, options);

/** A tensor of ones. */
export const ones = (shape: Shape, options?: TensorOptions): Tensor => constant("ones", shape, 1, options);

/** Zeros of the shape, type and device of `x`. */
export const zerosLike = ({ shape, dtype, device }: Tensor): Tensor => full(shape, 0, { dtype, device });

/** Ones of the shape, type and device of `x`. */
export const onesLike = ({ shape, dtype, device }: Tensor): Tensor => full(shape, 1, { dtype, device });

/**
 * A tensor with `value` everywhere.
 *
 * @throws ShapeError if a side is not a whole number ≥ 0.
 */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  checkNumbers("full", { value });
  return constant("full", shape, value, options);
}

const constant = (op: string, shape: Shape, value: number, options: TensorOptions = {}): Tensor =>
  sequence(op, checkShape(op, shape), value, 0, options);

/**
 * The numbers from `start` up to, not including, `end`: `arange(5)` counts from 0. f32 unless given.
 *
 * → `[⌈(end − start) / step⌉]`
 *
 * @throws ShapeError if the step is 0 or leads away from the end.
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(first: number, ...rest: (number | TensorOptions | undefined)[]): Tensor {
  const at = rest.findIndex((value) => typeof value === "object");
  const numbers = (at < 0 ? rest : rest.slice(0, at)).filter((value) => value !== undefined) as number[];
  const options = (at < 0 ? {} : rest[at]) as TensorOptions;
  const [start, end = 0, step = 1] = numbers.length === 0 ? [0, first] : [first, ...numbers];
  checkNumbers("arange", { start, end, step });
  const length = Math.ceil((end - start) / step);
  if (!(length >= 0 && Number.isFinite(length))) {
    throw new ShapeError(`arange: a step of ${step} does not lead from ${start} to ${end}.`);
  }
  return sequence("arange", [length], start, step, options);
}

/**
 * `count` numbers from `start` to `end`, both included, at equal distances.
 *
 * → `[count]`
 */
export function linspace(start: number, end: number, count: number, options: TensorOptions = {}): Tensor {
  checkOptions("linspace", options, TENSOR_OPTIONS);
  const shape = checkShape("linspace", [count]);
  checkNumbers("linspace", { start, end });
  checkType("linspace", options.dtype ?? "f32", options.requiresGrad ?? false);
  // In float64, here: in float32 the last of them would not always be the end.
  const step = (end - start) / (count - 1);
  const numbers = Float64Array.from({ length: count }, (_, i) => (i > 0 ? start + step * i : start));
  if (count > 1) numbers[count - 1] = end;
  return tensor(numbers, shape, options);
}

function sequence(op: string, shape: Shape, start: number, step: number, options: TensorOptions): Tensor {
  checkOptions(op, options, TENSOR_OPTIONS);
  const { dtype = "f32", device = defaultDevice(), requiresGrad = false } = options;
  checkType(op, dtype, requiresGrad);
  const last = start + step * Math.max(0, sizeOf(shape) - 1);
  for (const value of [start, last]) checkHolds(op, dtype, value);
  const type = dtype === "f16" ? "f32" : dtype;
  const length = sizeOf(shape);
  const { y } = run(
    fill,
    fillParams(type, length, start, step),
    [],
    { y: { shape, dtype } },
    { op, holes: { Scalar: type, Elem: type }, device },
  );
  y.requiresGrad = requiresGrad;
  return y;
}
