import { expand, NAN_OR, type Reduction, reduce, reducePasses } from "@shadegrad/kernels-wgsl/reduce";
import { differentiable } from "../core/autograd.ts";
import { type DType, isInteger } from "../core/dtype.ts";
import { type Expression, elementwise } from "../core/map.ts";
import { run } from "../core/run.ts";
import { isSame, type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { precisionOn } from "../gpu/precision.ts";
import { around, axesOf, without } from "./axes.ts";
import { compare, isNan } from "./nan.ts";

/** One axis, several, or all of them; negative ones count from the last. */
export type Axes = number | readonly number[];

export interface ReduceOptions {
  /** True if the reduced axes stay, with 1 element each. */
  keepdims?: boolean | undefined;
}

/** @throws TypeError if there is another option. */
export function keepsDims(op: string, options: ReduceOptions): boolean {
  checkOptions(op, options, ["keepdims"]);
  return options.keepdims ?? false;
}

/**
 * Sum over axes, all of them if none are given; integers stay integers, and where f16 is only the precision
 * of products the sum is f32.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function sum(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("sum", { x });
  const keepdims = keepsDims("sum", options);
  return added("sum", x, axesOf("sum", x.shape, axes), keepdims, SUM, typeOfSum(x));
}

/**
 * Mean over axes, all of them if none are given; NaN where there is nothing to take it of. The mean of equal numbers
 * is that number. Its type is that of `sum`, or f32.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes.
 */
export function mean(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("mean", { x });
  const keepdims = keepsDims("mean", options);
  return added("mean", x, axesOf("mean", x.shape, axes), keepdims, MEAN, typeOfMean(x));
}

const typeOfSum = ({ dtype, device }: Tensor): DType =>
  dtype === "f16" && precisionOn(device) === "f16" ? "f32" : dtype;

/** f16 of halves, unless those are only the precision of products; else f32. */
export const typeOfMean = (x: Tensor): DType => (typeOfSum(x) === "f16" ? "f16" : "f32");

/**
 * Largest element over axes, all of them if none are given; the gradient is shared among equals.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export function max(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("max", { x });
  const keepdims = keepsDims("max", options);
  return extreme("max", "max", x, axes, keepdims);
}

/**
 * Smallest element over axes, all of them if none are given; the gradient is shared among equals.
 *
 * x `[…]` → x without `axes`, or with 1 in their places.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export function min(x: Tensor, axes?: Axes, options: ReduceOptions = {}): Tensor {
  checkTensors("min", { x });
  const keepdims = keepsDims("min", options);
  return extreme("min", "min", x, axes, keepdims);
}

/**
 * The gradient of what was broadcast from `shape`: dy summed over the axes that were repeated.
 *
 * dy `[…]` → `shape`, of dy's type unless given; dy itself if that is its shape. Not recorded: for the thunks of
 * other ops.
 */
export function sumTo(dy: Tensor, shape: Shape, dtype = dy.dtype): Tensor {
  if (dtype === dy.dtype && isSame(dy.shape, shape)) return dy;
  const extra = dy.shape.length - shape.length;
  const repeated = dy.shape.flatMap((side, axis) =>
    axis < extra || (side !== 1 && shape[axis - extra] === 1) ? [axis] : [],
  );
  return reduced(dy, repeated, shape, SUM, dtype);
}

export const SUM: Combination = { combine: "a + b", initial: 0, scale: 1 };
export const MEAN: Combination = { ...SUM, isMean: true };

function added(
  op: string,
  x: Tensor,
  axes: number[],
  keepdims: boolean,
  combination: Combination,
  dtype: DType,
): Tensor {
  const shape = without(x.shape, axes, keepdims);
  const scale = combination.isMean ? 1 / sizeOf(axes.map((axis) => x.shape[axis]!)) : 1;
  const y = reduced(x, axes, shape, combination, dtype);
  return differentiable(op, y, [x], (dy) => [
    () => {
      const own = sumTo(dy, dy.shape, x.dtype);
      const dx = expanded(own, x.shape, axes, scale);
      if (own !== dy && own !== dx) own.dispose();
      return dx;
    },
  ]);
}

/**
 * `max` or `min` under another op's name.
 *
 * @throws ShapeError if x lacks one of the axes, or has no elements along them.
 */
export function extreme(
  op: string,
  most: "max" | "min",
  x: Tensor,
  axes: Axes | undefined,
  keepdims: boolean,
): Tensor {
  const over = axesOf(op, x.shape, axes);
  const kept = without(x.shape, over, true);
  if (x.size === 0 && sizeOf(kept) > 0) throw nothing(op, x, over);
  const worst = most === "max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const shape = without(x.shape, over, keepdims);
  const combination = isInteger(x.dtype)
    ? {
        combine: `${most}(a, b)`,
        ...(most === "min" && { neutral: LARGEST[x.dtype === "i32" ? "i32" : "u32"] }),
      }
    : { combine: NAN_OR(most) };
  const y = reduced(x, over, shape, { initial: worst, scale: 1, ...combination }, x.dtype);
  return differentiable(op, y, [x], (dy) => [() => extremeGrad(x, y, dy, over, kept)]);
}

const LARGEST = { i32: "Vec(0x7fffffff)", u32: "Vec(0xffffffff)" };

/** dx = dy / n where x is one of the n elements that are equal to y; to a NaN, NaN is. */
function extremeGrad(x: Tensor, y: Tensor, dy: Tensor, axes: readonly number[], kept: Shape): Tensor {
  const extremes = y.view(kept);
  const gradients = dy.view(kept);
  const isWinner = (x?: string, y?: string) => `${compare(x, "==", y)} | (${isNan(x)} & ${isNan(y)})`;
  const winners = elementwise((x, y) => `select(Vec(0), Vec(1), ${isWinner(x, y)})`, [x, extremes]);
  const count = reduced(winners, axes, kept, SUM, "f32");
  const share = elementwise((dy, count) => `${dy} / ${count}`, [gradients, count]);
  const toWinners: Expression = (x, y, share) => `select(Vec(0), ${share}, ${isWinner(x, y)})`;
  const dx = elementwise(toWinners, [x, extremes, share], { dtype: x.dtype });
  for (const tensor of [extremes, gradients, winners, count, share]) tensor.dispose();
  return dx;
}

interface Combination extends Reduction {
  readonly combine: string;
  /** The neutral element, as an expression, where `initial` cannot be it. */
  readonly neutral?: string;
  /** A term, as an expression in x, in its place. */
  readonly term?: string;
  readonly isMean?: boolean;
}

/**
 * x combined over `axes`, in ascending order, as `shape`; neighbours in one pass. Not recorded: for
 * the thunks of other ops.
 */
export function reduced(
  x: Tensor,
  axes: readonly number[],
  shape: Shape,
  { combine, neutral, term, initial, scale, isMean }: Combination,
  dtype: DType,
): Tensor {
  const sides = [...x.shape];
  let left = x;
  for (const runs = runsOf(axes, sides); runs.length > 0; ) {
    const [first, last] = runs.shift()!;
    const passes = reducePasses(around(sides, first, last), {
      initial,
      scale: runs.length === 0 ? scale : 1,
    });
    sides.fill(1, first, last + 1);
    passes.forEach((pass, i) => {
      const done = runs.length === 0 && i === passes.length - 1;
      const write = {
        shape: done ? shape : [pass.outer, pass.splits, pass.inner],
        dtype: done || isInteger(dtype) ? dtype : ("f32" as const),
      };
      const types = {
        Result: write.dtype,
        ...(isInteger(left.dtype) && { Elem: left.dtype }),
        ...(isInteger(dtype) && { Vec: dtype }),
      };
      const { y } = run(
        reduce,
        pass,
        [left],
        { y: write },
        {
          holes: {
            combine,
            ...(neutral !== undefined && { neutral }),
            ...(term !== undefined && left === x && { term }),
            ...(isMean && { MEAN: true }),
            ...types,
          },
          ...(isInteger(dtype) && { variant: "columns" }),
        },
      );
      if (left !== x) left.dispose();
      left = y;
    });
  }
  return left;
}

/** Runs of neighbouring axes, the longest first: what follows it has the least left to read. */
function runsOf(axes: readonly number[], sides: Shape): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const axis of axes) {
    const run = runs.at(-1);
    if (run && sides.slice(run[1] + 1, axis).every((side) => side === 1)) run[1] = axis;
    else runs.push([axis, axis]);
  }
  const length = ([first, last]: [number, number]) => sizeOf(sides.slice(first, last + 1));
  return runs.length === 0 ? [[0, -1]] : runs.sort((a, b) => length(b) - length(a));
}

/** The gradient of a sum times `scale`: dy repeated along `axes`. */
function expanded(dy: Tensor, shape: Shape, axes: readonly number[], scale: number): Tensor {
  const sides = without(shape, axes, true);
  let left = dy;
  const runs = runsOf(axes, shape).reverse();
  runs.forEach(([first, last], i) => {
    const [outer, , inner] = around(sides, first, last);
    for (let axis = first; axis <= last; axis++) sides[axis] = shape[axis]!;
    const reduced = sizeOf(sides.slice(first, last + 1));
    const params = { outer, reduced, inner, scale: i === 0 ? scale : 1 };
    const next = run(expand, params, [left], i === runs.length - 1 ? shape : [...sides]);
    if (left !== dy) left.dispose();
    left = next;
  });
  return left;
}

const nothing = (op: string, x: Tensor, axes: readonly number[]) =>
  new ShapeError(`${op}: nothing to choose from along axes [${axes}]. x is [${x.shape}].`);
