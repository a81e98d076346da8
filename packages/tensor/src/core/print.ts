import type { Shape } from "./shape.ts";

const EDGE = 3;
const LONG = 1000;

/** Numbers in nested brackets, aligned in columns; of more than 1,000 only the edges of each axis. */
export function format(values: ArrayLike<number>, shape: Shape): string {
  const shorten = values.length > LONG;
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, side) => size * side, 1));
  const write = writer(values);

  const shown = (side: number): (number | null)[] => {
    if (!shorten || side <= 2 * EDGE) return Array.from({ length: side }, (_, i) => i);
    return [0, 1, 2, null, side - 3, side - 2, side - 1];
  };
  const cells: string[] = [];
  const walk = (axis: number, offset: number): void => {
    if (axis === shape.length) cells.push(write(values[offset]!));
    else for (const i of shown(shape[axis]!)) if (i !== null) walk(axis + 1, offset + i * strides[axis]!);
  };
  if (values.length > 0) walk(0, 0);
  const width = Math.max(0, ...cells.map((cell) => cell.length));

  let next = 0;
  const draw = (axis: number): string => {
    if (axis === shape.length) return cells[next++]!.padStart(width);
    const rows = shown(shape[axis]!).map((i) => (i === null ? "…" : draw(axis + 1)));
    const last = axis === shape.length - 1;
    // Matrices stand a line apart for each axis above them.
    const gap = last ? ", " : `,${"\n".repeat(shape.length - 1 - axis)}${" ".repeat(axis + 1)}`;
    return `[${rows.join(gap)}]`;
  };
  return values.length === 0 ? "[]" : draw(0);
}

/**
 * One notation for all: whole numbers bare, others to four decimals, or with an exponent where decimals say little.
 * Floats from 10⁶ on have an exponent; integers have all their digits.
 */
function writer(values: ArrayLike<number>): (value: number) => string {
  let most = 0;
  let least = Number.POSITIVE_INFINITY;
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (!Number.isFinite(size)) continue;
    whole &&= Number.isInteger(size);
    most = Math.max(most, size);
    if (size > 0) least = Math.min(least, size);
  }
  const isInteger = values instanceof Int32Array || values instanceof Uint32Array;
  const exponent = most >= 1e6 || least < 1e-4;
  return (value) => {
    if (!Number.isFinite(value)) return String(value).replace("Infinity", "inf");
    if (isInteger || (whole && most < 1e6)) return String(value);
    return exponent ? value.toExponential(4) : value.toFixed(4);
  };
}
