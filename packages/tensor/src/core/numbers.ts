import { kindOf, ShapeError } from "../errors.ts";
import { type DType, isInteger } from "./dtype.ts";
import { Bfloat16Bits, Float16Bits, fromBfloat16Bits, fromFloat16Bits, toFloat16Bits } from "./float16.ts";
import type { Shape } from "./shape.ts";

/** Numbers nested as deep as the tensor has axes. */
export type Nested = number | readonly Nested[];

/** Numbers of the host, row-major: an array, or a typed array of any type, halves and 64-bit integers too. */
export type Numbers = ArrayLike<number> | BigInt64Array | BigUint64Array;

/** Numbers as they are read back. */
export type TensorData = Float32Array | Int32Array | Uint32Array;

const RANGES = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1] } as const;

/** Default type of numbers. */
export function dtypeOf(numbers: unknown): DType {
  if (numbers instanceof Uint32Array) return "u32";
  const isLabels = numbers instanceof Int32Array || isBig(numbers);
  return isLabels ? "i32" : "f32";
}

/**
 * Numbers as the GPU stores them; fractions are cut off where whole numbers are asked for.
 *
 * @throws RangeError if one is beyond what the type holds, or NaN where it holds whole numbers.
 */
export function encode(op: string, given: Numbers, dtype: DType): ArrayBufferView {
  if (dtype === "f16" && given instanceof Float16Bits) return given;
  const values = widened(given);
  if (dtype === "i32" || dtype === "u32") return wholeNumbers(op, values, dtype);
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  return dtype === "f16" ? toFloat16Bits(floats) : floats;
}

/** The bytes of a buffer as numbers; float16 as float32. */
export function decode(bytes: ArrayBuffer, dtype: DType): TensorData {
  if (dtype === "i32") return new Int32Array(bytes);
  if (dtype === "u32") return new Uint32Array(bytes);
  return dtype === "f16" ? fromFloat16Bits(new Uint16Array(bytes)) : new Float32Array(bytes);
}

/** @throws RangeError unless a tensor of the type can hold the number. */
export function checkHolds(op: string, dtype: DType, value: number, where = ""): void {
  if (!isInteger(dtype)) return;
  const [least, most] = RANGES[dtype as keyof typeof RANGES];
  const whole = Math.trunc(value);
  if (whole >= least && whole <= most) return;
  throw new RangeError(
    `${op}: ${value}${where} is beyond ${dtype}, which holds whole numbers from ${least} to ${most}. f32 holds larger ones.`,
  );
}

const isBig = (numbers: unknown): numbers is BigInt64Array | BigUint64Array =>
  numbers instanceof BigInt64Array || numbers instanceof BigUint64Array;

function widened(given: Numbers): ArrayLike<number> {
  if (given instanceof Float16Bits) return fromFloat16Bits(given);
  if (given instanceof Bfloat16Bits) return fromBfloat16Bits(given);
  return isBig(given) ? Float64Array.from(given as BigInt64Array, Number) : given;
}

function wholeNumbers(op: string, values: ArrayLike<number>, dtype: "i32" | "u32"): ArrayBufferView {
  const Whole = dtype === "i32" ? Int32Array : Uint32Array;
  if (values instanceof Whole) return values;
  const [least, most] = RANGES[dtype];
  const whole = Whole.from(values);
  for (let i = 0; i < whole.length; i++) {
    const value = values[i]!;
    // NaN compares as false.
    if (!(value > least - 1 && value < most + 1)) checkHolds(op, dtype, value, ` at element ${i}`);
  }
  return whole;
}

/**
 * Numbers in a row, and the shape of their nesting if they are nested.
 *
 * @throws ShapeError if the nesting is ragged; TypeError if there is something else in it.
 */
export function flatten(
  op: string,
  data: Nested | Numbers,
): { values: Numbers; shape: number[] | undefined } {
  if (typeof data !== "number" && !Array.isArray(data)) {
    if (typeof data === "object" && data !== null && "length" in data) {
      return { values: data as Numbers, shape: undefined };
    }
    throw new TypeError(`${op}: ${kindOf(data)} where numbers were expected, in an array or a typed array.`);
  }
  const shape: number[] = [];
  for (let level: Nested | undefined = data as Nested; Array.isArray(level); level = level[0])
    shape.push(level.length);
  const values: number[] = [];
  const visit = (part: Nested, axis: number): void => {
    if (typeof part === "number") {
      if (axis !== shape.length) throw ragged(op, shape, axis, "a number");
      values.push(part);
      return;
    }
    if (!Array.isArray(part))
      throw new TypeError(`${op}: ${kindOf(part)} where a number or an array was expected.`);
    if (part.length !== shape[axis]) throw ragged(op, shape, axis, `${part.length} elements`);
    for (const inner of part) visit(inner, axis + 1);
  };
  visit(data as Nested, 0);
  return { values, shape };
}

function ragged(op: string, shape: Shape, axis: number, found: string): ShapeError {
  return new ShapeError(
    `${op}: the nesting is ragged: ${found} at depth ${axis}, where the first has ${shape[axis] ?? "no"} elements.`,
  );
}
