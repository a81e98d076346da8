import { ShapeError } from "../errors.ts";

/** `i32` and `u32` are for labels and indices; `f16` is storage, computed with in float32. */
export type DType = "f32" | "f16" | "i32" | "u32";

export const bytesOf = (dtype: DType): number => (dtype === "f16" ? 2 : 4);

/** True if a type, of a tensor or in a shader, is one of whole numbers. */
export const isInteger = (type: string): boolean => type === "i32" || type === "u32";

/** @throws ShapeError if a gradient is asked for a tensor of whole numbers. */
export function checkGradient(op: string, dtype: DType, requiresGrad: boolean): boolean {
  if (requiresGrad && isInteger(dtype)) {
    throw new ShapeError(`${op}: ${dtype} has no gradient; requiresGrad needs f32 or f16.`);
  }
  return requiresGrad;
}
