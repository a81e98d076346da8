import {
  blocksOf,
  DISTRIBUTIONS,
  dropoutParams,
  dropout as forward,
  integerParams,
  random as kernel,
  normalParams,
  type RandomParams,
  type Stream,
  uniformBits,
  uniformParams,
} from "@shadegrad/kernels-wgsl/random";
import { differentiable } from "../core/autograd.ts";
import { checkType, isInteger } from "../core/dtype.ts";
import { type Generator, generatorOf } from "../core/generator.ts";
import { eachCall } from "../core/recorder.ts";
import { drawn } from "../core/replayed-draws.ts";
import { run } from "../core/run.ts";
import { checkShape, type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, TENSOR_OPTIONS, type Tensor, type TensorOptions } from "../core/tensor.ts";
import { checkAmount, checkNumbers, checkOptions, checkShare, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";

export type { Generator };

export interface RandomOptions extends TensorOptions {
  /** Source of the numbers, in place of the device's own generator. */
  generator?: Generator | undefined;
}

const RANDOM_OPTIONS = [...TENSOR_OPTIONS, "generator"];

/**
 * Uniform random numbers in [0, 1), of 24 bits, or 11 as f16.
 *
 * → `shape`
 */
export const rand = (shape: Shape, options?: RandomOptions): Tensor => uniform(shape, 0, 1, options);

/**
 * Normal random numbers with mean 0 and deviation 1.
 *
 * → `shape`
 */
export const randn = (shape: Shape, options?: RandomOptions): Tensor => normal(shape, 0, 1, options);

/**
 * Uniform random numbers in [low, high).
 *
 * → `shape`
 *
 * @throws ShapeError if high is less than low.
 */
export function uniform(shape: Shape, low: number, high: number, options?: RandomOptions): Tensor {
  checkNumbers("uniform", { low, high });
  if (!(low <= high))
    throw new ShapeError(`uniform: low is ${low} but high is ${high}. The shape is [${shape}].`);
  return random("uniform", shape, DISTRIBUTIONS.uniform, (n, at) => uniformParams(n, at, low, high), options);
}

/**
 * Normal random numbers, by the method of Box and Muller.
 *
 * → `shape`
 *
 * @throws RangeError if the deviation is negative.
 */
export function normal(shape: Shape, mean: number, std: number, options?: RandomOptions): Tensor {
  checkNumbers("normal", { mean });
  checkAmount("normal", "std", std);
  return random("normal", shape, DISTRIBUTIONS.normal, (n, at) => normalParams(n, at, mean, std), options);
}

/**
 * Random whole numbers from low to high − 1; i32, or u32 by `dtype`.
 *
 * → `shape`
 *
 * @throws ShapeError if there is no number between them, or one is beyond 32 bits.
 */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  checkOptions("randint", options, RANDOM_OPTIONS);
  const { dtype = "i32" } = options;
  const [least, most] = dtype === "u32" ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  if (!isInteger(dtype))
    throw new ShapeError(`randint: whole numbers are i32 or u32, not ${dtype}; cast them.`);
  if (!(Number.isInteger(low) && Number.isInteger(high) && least <= low && low < high && high - 1 <= most)) {
    throw new ShapeError(
      `randint: ${low} up to, not including, ${high} is no range of ${dtype}. The shape is [${shape}].`,
    );
  }
  const params = (n: number, at: Stream) => integerParams(n, at, low, high);
  return random("randint", shape, DISTRIBUTIONS.integers, params, { ...options, dtype });
}

function random(
  op: string,
  shape: Shape,
  distribution: string,
  params: (length: number, stream: Stream) => RandomParams,
  options: RandomOptions = {},
): Tensor {
  checkOptions(op, options, RANDOM_OPTIONS);
  const { dtype = "f32", device = defaultDevice(), generator, requiresGrad = false } = options;
  checkType(op, dtype, requiresGrad);
  if (isInteger(dtype) && op !== "randint") {
    throw new ShapeError(`${op}: fractions are f32 or f16, not ${dtype}; randint gives whole numbers.`);
  }
  const itsShape = checkShape(op, shape);
  const length = sizeOf(itsShape);
  const stream = draw(generator, device, length);
  const writes = { y: { shape: itsShape, dtype } };
  const { y } = run(kernel, () => params(length, stream()), [], writes, {
    op,
    holes: { distribution, Elem: dtype, BITS: uniformBits(dtype) },
    device,
  });
  y.requiresGrad = requiresGrad;
  return y;
}

/** Start of the numbers for so many elements in their stream, at each call of a compiled function. */
function draw(given: Generator | undefined, device: Device, length: number) {
  // manualSeed makes another one.
  const generator = () => given ?? generatorOf(device);
  const blocks = blocksOf(length);
  return drawn(() =>
    eachCall(
      () => generator().advance(blocks),
      () => generator().advance(-blocks),
    ),
  );
}

export interface DropoutOptions {
  /** Drop at all; true if absent. */
  training?: boolean;
  generator?: Generator | undefined;
}

/**
 * Each element 0 with probability p, else x / (1 − p), so that the mean stays. Srivastava et al.,
 * "Dropout: a simple way to prevent neural networks from overfitting", 2014.
 *
 * x `[…]` → `[…]`; a view of x when not training.
 *
 * @throws RangeError unless p is from 0 to 1.
 */
export function dropout(x: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor {
  checkTensors("dropout", { x });
  checkOptions("dropout", options, ["training", "generator"]);
  checkShare("dropout", "p", p);
  const { training = true, generator } = options;
  if (!training || p === 0) return differentiable("dropout", x.view(), [x], (dy) => [() => dy.view()]);
  const { size, device } = x; // of each call, when this x is long gone
  const stream = draw(generator, device, size);
  const params = () => dropoutParams(size, stream(), p);
  // The same numbers again for the gradient: nothing is kept but where they began.
  return differentiable("dropout", run(forward, params, [x], x.shape), [x], (dy) => [
    () => run(forward, params, [dy], x.shape),
  ]);
}
