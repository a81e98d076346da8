import type { ShapeError } from "../errors.ts";

/** One number for both axes, or [rows, columns]. */
export type Pair = number | readonly [rows: number, columns: number];
/** Zeros around an image: on all sides, [rows, columns], or by side. */
export type Padding = Pair | readonly [top: number, bottom: number, left: number, right: number];

export type Quad = readonly [number, number, number, number];
/** Makes an error of what is wrong, with the shapes that its op was given. */
export type Fail = (what: string) => ShapeError;

/** Numbers of an array, plain or typed; undefined if the value is none. */
export function listed(value: unknown): readonly number[] | undefined {
  if (Array.isArray(value)) return value;
  return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : undefined;
}

/**
 * Both numbers of a pair; a single number stands for two.
 *
 * @throws ShapeError by `fail` unless they are whole numbers of at least `least`.
 */
export function pair(name: string, value: Pair, least: number, fail: Fail): readonly [number, number] {
  const both = (listed(value) ?? [value, value]) as [number, number];
  if (both.length !== 2 || both.some((side) => !Number.isInteger(side) || side < least)) {
    throw fail(`${name} is [${both.map(String)}], not whole numbers ≥ ${least} for [rows, columns]`);
  }
  return both;
}

/**
 * Zeros on each side of an image; `spans` are the window's sides, `strides` what it moves by.
 *
 * @throws ShapeError by `fail` if the padding is none.
 */
export function sides(
  padding: Padding | "same" | "valid",
  spans: readonly [number, number],
  strides: readonly [number, number],
  fail: Fail,
): Quad {
  if (padding === "valid") return [0, 0, 0, 0];
  if (padding === "same") {
    if (strides[0] !== 1 || strides[1] !== 1) throw fail(`padding "same" needs stride 1, not [${strides}]`);
    const [rows, cols] = [spans[0] - 1, spans[1] - 1];
    return [rows >> 1, rows - (rows >> 1), cols >> 1, cols - (cols >> 1)];
  }
  if (typeof padding === "string") throw fail(`padding is ${padding}; there are same and valid`);
  const four = listed(padding);
  if (four?.length === 4) {
    if (four.every((side) => Number.isInteger(side) && side >= 0)) return four as unknown as Quad;
    throw fail(`padding is [${padding}], not whole numbers ≥ 0 for [top, bottom, left, right]`);
  }
  const [rows, cols] = pair("padding", padding as Pair, 0, fail);
  return [rows, rows, cols, cols];
}
