import { expect } from "vitest";
import { type Tensor, tensor } from "../../src/index.ts";

const SIZES = [3, 64, 1, 100, 65, 7, 2, 130, 9];

/** Numbers of one of them. */
export const numbers = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, i) => seed + i / 256);

/** Tensors of several sizes; the numbers of each begin with its place. */
export const several = () => SIZES.map((size, seed) => tensor(numbers(size, seed), [size]));

export async function expectNumbers(tensors: readonly Tensor[]): Promise<void> {
  for (const [seed, x] of tensors.entries()) expect(await x.data()).toEqual(numbers(x.size, seed));
}

/** Numbers at the distances at which the parts lie, zeros between them. */
export function spread(): Float32Array {
  const parts = SIZES.flatMap((size, seed) => {
    const part = new Float32Array(Math.ceil(size / 64) * 64);
    part.set(numbers(size, seed));
    return [...part];
  });
  return Float32Array.from(parts);
}
