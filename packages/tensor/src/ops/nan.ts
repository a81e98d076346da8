/**
 * WGSL expressions in which NaN behaves as in PyTorch on every adapter.
 *
 * WGSL lets a driver assume that there is no NaN: `max(NaN, 0)` is 0 on some, and `x <= 0 ? 0 : x` becomes that `max`.
 * A test of bits cannot be assumed away. Every shader with a hole for expressions declares `magnitude` and `Bits`; for
 * integers `magnitude` is 0, so that the same expressions serve.
 */

/** True where x is NaN. */
export const isNan = (x?: string): string => `(magnitude(${x}) > Bits(0x7f800000u))`;

/** f, but x where that is NaN: for functions of x that WGSL does not define there. */
export const orNan = (f: string, x?: string): string => `select(${f}, ${x}, ${isNan(x)})`;

export type Comparison = "==" | "<" | "<=" | ">" | ">=";

/** True where the comparison holds; false where a or b is NaN. */
export const compare = (a: string | undefined, comparison: Comparison, b: string | undefined): string => {
  const operands = [a, b].filter((x) => !/^Vec\(\d+\)$/.test(x!));
  return `((${a} ${comparison} ${b}) & !(${operands.map(isNan).join(" | ")}))`;
};

/** True where a and b differ, and where either is NaN. */
export const differ = (a?: string, b?: string): string => `!${compare(a, "==", b)}`;

/** The larger of a and b (`max`) or the smaller (`min`); NaN where either is. */
export const extreme = (f: "max" | "min", a?: string, b?: string): string =>
  `select(${f}(${a}, ${b}), ${a} + ${b}, ${isNan(a)} | ${isNan(b)})`;
