import { KernelError } from "./launch/kernel.ts";

export type Quad = readonly [number, number, number, number];

/** Positions in several arrays that are walked together: last axis first, as few axes as possible. */
export interface Walk {
  readonly shape: readonly number[];
  /** Strides of each array along the axes of `shape`, in elements. */
  readonly strides: readonly (readonly number[])[];
}

/**
 * Drop axes of length 1 and merge neighbours that every array walks as if they were one.
 *
 * `shape` and `strides` have their first axis first. A result has at least one axis.
 */
export function collapse(shape: readonly number[], strides: readonly (readonly number[])[]): Walk {
  const sides: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const side = shape[axis]!;
    if (side === 1) continue;
    const last = sides.length - 1;
    if (last >= 0 && strides.every((of, i) => of[axis] === steps[i]![last]! * sides[last]!)) {
      sides[last]! *= side;
    } else {
      sides.push(side);
      for (const [i, of] of strides.entries()) steps[i]!.push(of[axis]!);
    }
  }
  if (sides.length === 0) return { shape: [1], strides: strides.map(() => [0]) };
  return { shape: sides, strides: steps };
}

/**
 * A number for each axis in two quads, the rest filled.
 *
 * @throws KernelError if there are more than 8.
 */
export function quads(values: readonly number[], fill: number): [Quad, Quad] {
  if (values.length > 8) throw new KernelError(`${values.length} axes that cannot be merged; at most 8`);
  const at = (i: number) => values[i] ?? fill;
  return [
    [at(0), at(1), at(2), at(3)],
    [at(4), at(5), at(6), at(7)],
  ];
}
