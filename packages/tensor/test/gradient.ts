import { expect } from "vitest";
import { backward, init, scope, type Tensor, tensor } from "../src/index.ts";
import { relativeError } from "./compare.ts";

export interface GradientCheck {
  /** The op under test, of tensors of these shapes. */
  op: (...inputs: Tensor[]) => Tensor;
  /** The same in float64, row-major, of the same numbers. */
  reference: (...inputs: Float64Array[]) => ArrayLike<number>;
  shapes: readonly (readonly number[])[];
  /** Contents, where not any number in [-1, 1) will do. */
  values?: readonly (Float32Array | undefined)[];
  /** Relative L2 error allowed in y and in each gradient; 1e-5 if absent. */
  tolerance?: number;
}

const STEP = 2 ** -17; // a power of two, so that x ± STEP is exact for |x| < 64 in float64
const MOST = 64;

/**
 * Compare an op and all its gradients with central differences of its float64 reference:
 * dx[i] ≈ Σ dy · (f(x + h eᵢ) − f(x − h eᵢ)) / 2h. Of a large input, 64 elements spread over it.
 */
export async function checkGradient({
  op,
  reference,
  shapes,
  values = [],
  tolerance = 1e-5,
}: GradientCheck): Promise<void> {
  await init();
  const contents = shapes.map(
    (shape, i) =>
      values[i] ??
      randomValues(
        shape.reduce((a, b) => a * b, 1),
        i + 1,
      ),
  );
  const leaves = contents.map((data, i) => tensor(data, shapes[i], { requiresGrad: true }));
  const exact = contents.map((data) => Float64Array.from(data));
  const expected = Float64Array.from(reference(...exact));
  const dy = randomValues(expected.length, 99);

  const y = scope(() => {
    const y = op(...leaves);
    backward(y, tensor(dy, y.shape));
    return y;
  });
  const error = relativeError(await y.data(), expected);
  expect(error, `y is off by ${error}`).toBeLessThanOrEqual(tolerance);

  for (const [i, leaf] of leaves.entries()) {
    expect(leaf.grad?.shape, `shape of the gradient of input ${i}`).toEqual(leaf.shape);
    const found = await leaf.grad!.data();
    const picked = spread(found.length);
    const slopes = picked.map((at) => slope(reference, exact, i, at, dy));
    const off = relativeError(
      picked.map((at) => found[at]!),
      slopes,
    );
    expect(off, `the gradient of input ${i} is off by ${off}`).toBeLessThanOrEqual(tolerance);
  }
  for (const tensor of [y, ...leaves]) tensor.dispose();
}

function slope(
  reference: GradientCheck["reference"],
  inputs: Float64Array[],
  input: number,
  at: number,
  dy: Float32Array,
): number {
  const along = (step: number): Float64Array => {
    const moved = inputs.map((x, i) => (i === input ? Float64Array.from(x) : x));
    moved[input]![at]! += step;
    return Float64Array.from(reference(...moved));
  };
  const [up, down] = [along(STEP), along(-STEP)];
  let sum = 0;
  for (let j = 0; j < dy.length; j++) sum += (dy[j]! * (up[j]! - down[j]!)) / (2 * STEP);
  return sum;
}

/** All positions, or of many as many as `MOST`, evenly. */
function spread(length: number): number[] {
  if (length <= MOST) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: MOST }, (_, i) => Math.floor((i * length) / MOST));
}

/** Reproducible values in [-1, 1) that float32 holds exactly. */
export function randomValues(length: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}
