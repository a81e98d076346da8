import { clipNorm, clipValue, squares, squaresSums } from "@shadegrad/kernels-wgsl/clip";
import { noGrad } from "../core/autograd.ts";
import { copied } from "../core/map.ts";
import { run } from "../core/run.ts";
import { empty, type Tensor } from "../core/tensor.ts";
import { checkNumbers, checkOption, ShapeError } from "../errors.ts";
import { cast } from "../ops/cast.ts";
import { sqrt } from "../ops/math.ts";
import { sum } from "../ops/reduce.ts";
import { gathered } from "./gathered.ts";
import { namedTensors, type Parameters } from "./parameters.ts";

/**
 * Shorten all gradients together, in place, where they are longer than `most`; gives the length
 * that they had, on the device: nothing is waited for.
 *
 * → `[]`, the L2 norm over all gradients
 *
 * @throws RangeError if `most` is negative; ShapeError if no parameter has a gradient.
 */
export function clipGradNorm(params: Parameters, most: number): Tensor {
  checkNumbers("clipGradNorm", { "the limit": most });
  checkOption("clipGradNorm", "the limit", most, most >= 0, "a number ≥ 0");
  const gradients = gathered(gradientsOf("clipGradNorm", params));
  using squared = sumOfSquares(gradients);
  const norm = noGrad(() => sqrt(squared));
  for (const x of gradients) {
    inF32(x, (x) => run(clipNorm, { length: x.size, most }, [norm], { x }));
    x.dispose();
  }
  return norm;
}

/** `[]`: of all elements of all tensors, in an order that is always the same. */
export function sumOfSquares(tensors: readonly Tensor[]): Tensor {
  const sums = tensors.map(({ size }) => squaresSums(size));
  const total = sums.reduce((count, own) => count + own, 0);
  const partial = empty([total], "f32", tensors[0]!.device);
  let start = 0;
  tensors.forEach((x, i) => {
    const wide = x.dtype === "f32" ? x : noGrad(() => cast(x, "f32"));
    run(squares, { length: x.size, start, sums: sums[i]! }, [wide], { partial });
    if (wide !== x) wide.dispose();
    start += sums[i]!;
  });
  const squared = noGrad(() => sum(partial));
  partial.dispose();
  return squared;
}

/**
 * Limit every element of every gradient to [-most, most], in place.
 *
 * @throws RangeError if `most` is negative; ShapeError if no parameter has a gradient.
 */
export function clipGradValue(params: Parameters, most: number): void {
  checkNumbers("clipGradValue", { "the limit": most });
  checkOption("clipGradValue", "the limit", most, most >= 0, "a number ≥ 0");
  for (const x of gathered(gradientsOf("clipGradValue", params))) {
    inF32(x, (x) => run(clipValue, { length: x.size, most }, [], { x }));
    x.dispose();
  }
}

/** Change a gradient in place; one of halves by way of floats. */
function inF32(x: Tensor, change: (x: Tensor) => unknown): void {
  if (x.dtype === "f32") {
    change(x);
    return;
  }
  using wide = noGrad(() => cast(x, "f32"));
  change(wide);
  copied(wide, x);
}

/**
 * Gradients in the order in which their parameters lie in memory, which is the one that an optimizer moves them in.
 *
 * @throws ShapeError if there are none.
 */
export function gradientsOf(op: string, params: Parameters): Tensor[] {
  const moved = [...namedTensors(params)].map(([, w]) => w).filter(({ grad }) => grad);
  if (moved.length === 0) {
    throw new ShapeError(`${op}: no parameter has a gradient. Call it between backward and the step.`);
  }
  const wholes = [...new Set(moved.map(({ storage }) => storage.whole))];
  const place = ({ storage: { whole, offset } }: Tensor) =>
    [wholes.indexOf(whole), whole ? offset : 0] as const;
  return moved
    .map((w) => ({ grad: w.grad!, place: place(w) }))
    .sort(({ place: a }, { place: b }) => a[0] - b[0] || a[1] - b[1])
    .map(({ grad }) => grad);
}
