/** Bits of IEEE 754 binary16 as a reader hands them out: in an array of their own, so that nobody takes them for numbers. */
export class Float16Bits extends Uint16Array {}

/** Bits of bfloat16, likewise. */
export class Bfloat16Bits extends Uint16Array {}

/**
 * Round to IEEE 754 binary16, ties to even; overflow gives an infinity, and NaN stays NaN.
 *
 * values `[n]` → bits `[n]`
 */
export function toFloat16Bits(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const sign = (bits[i]! >>> 16) & 0x8000;
    out[i] = sign | magnitude16(bits[i]! & 0x7fffffff);
  }
  return out;
}

/** Exactly the values that binary16 `bits` stand for. */
export function fromFloat16Bits(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const out = bitsOf(values);
  for (let i = 0; i < bits.length; i++) {
    const half = bits[i]!;
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 0x3ff;
    if (exponent === 0) values[i] = (sign ? -1 : 1) * fraction * 2 ** -24;
    else out[i] = sign | ((exponent === 31 ? 255 : exponent + 112) << 23) | (fraction << 13);
  }
  return values;
}

/**
 * Round to bfloat16, the upper half of a binary32, ties to even; NaN stays NaN.
 *
 * values `[n]` → bits `[n]`
 */
export function toBfloat16Bits(values: Float32Array): Uint16Array {
  const bits = bitsOf(values);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const b = bits[i]!;
    const nan = (b & 0x7fffffff) > 0x7f800000;
    // Quieting a NaN keeps it from becoming an infinity when its lower half is dropped.
    out[i] = nan ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Exactly the values that bfloat16 `bits` stand for. */
export function fromBfloat16Bits(bits: Uint16Array): Float32Array {
  const values = new Float32Array(bits.length);
  const out = bitsOf(values);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return values;
}

const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** The lower 15 bits of a binary16, from the lower 31 of a binary32. */
function magnitude16(abs: number): number {
  if (abs > 0x7f800000) return 0x7e00 | ((abs >>> 13) & 0x3ff);
  if (abs >= 0x477ff000) return 0x7c00; // 65520 lies halfway between 65504 and what would be 65536
  if (abs >= 0x38800000) return (abs - 0x38000000 + 0xfff + ((abs >>> 13) & 1)) >>> 13;
  if (abs <= 0x33000000) return 0; // 2⁻²⁵ lies halfway between 0 and 2⁻²⁴
  const shift = 126 - (abs >>> 23);
  const significand = (abs & 0x7fffff) | 0x800000;
  return (significand + (1 << (shift - 1)) - 1 + ((significand >>> shift) & 1)) >>> shift;
}
