import { checkChoice, ShapeError } from "../errors.ts";

/** `i32` and `u32` are for labels and indices; `f16` is storage, computed with in float32. */
export type DType = "f32" | "f16" | "i32" | "u32";

export const bytesOf = (dtype: DType): number => (dtype === "f16" ? 2 : 4);

/** True if a type, of a tensor or in a shader, is one of whole numbers. */
export const isInteger = (type: string): boolean => type === "i32" || type === "u32";

/** @throws RangeError if there is no such type. */
export function checkDType(op: string, dtype: DType): void {
  checkChoice(op, "dtype", dtype, ["f32", "f16", "i32", "u32"]);
}

/** @throws RangeError if there is no such type; ShapeError if a gradient is asked for a tensor of whole numbers. */
export function checkType(op: string, dtype: DType, requiresGrad: boolean): void {
  checkDType(op, dtype);
  if (requiresGrad && isInteger(dtype)) {
    throw new ShapeError(`${op}: ${dtype} has no gradient; requiresGrad needs f32 or f16.`);
  }
}
