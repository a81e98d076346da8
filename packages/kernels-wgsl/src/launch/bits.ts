/** Types that a shader may compute with. */
export type Scalar = "f32" | "i32" | "u32";

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The 32 bits of a number in a type, to pass it in a `u32` of `Params`. */
export function bits(type: Scalar, value: number): number {
  if (type !== "f32") return value >>> 0;
  float[0] = value;
  return word[0]!;
}
