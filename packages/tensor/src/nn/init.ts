import { assign } from "../core/assign.ts";
import { noGrad } from "../core/autograd.ts";
import { full } from "../core/create.ts";
import { scope } from "../core/scope.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { checkChoice, checkOptions, ShapeError } from "../errors.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { type Generator, normal as normalTensor, uniform as uniformTensor } from "../ops/random.ts";
import { parameter } from "./module.ts";
import type { LayerOptions } from "./options.ts";

export interface RandomOptions {
  /** Source of the random numbers; the default generator if absent. */
  generator?: Generator | undefined;
}

/** Nonlinearity after the layer, which determines the gain. */
export type Nonlinearity = "linear" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

export interface KaimingOptions extends RandomOptions {
  /** `fanIn` keeps the variance of activations on the way forward, `fanOut` that of gradients on the way back. */
  mode?: "fanIn" | "fanOut";
  nonlinearity?: Nonlinearity;
  /** Slope of a leaky ReLU below 0. */
  slope?: number;
}

/** Fill with 0, in place. */
export const zeros = (x: Tensor): Tensor => constant(x, 0);

/** Fill with 1, in place. */
export const ones = (x: Tensor): Tensor => constant(x, 1);

/** Fill with one number, in place. */
export function constant(x: Tensor, value: number): Tensor {
  return filled(x, full(x.shape, value, { device: x.device, dtype: x.dtype }));
}

/** Fill with random numbers in [low, high), in place. */
export function uniform(x: Tensor, low = 0, high = 1, options: RandomOptions = {}): Tensor {
  checkOptions("uniform", options, ["generator"]);
  const { generator } = options;
  return filled(x, uniformTensor(x.shape, low, high, { device: x.device, generator }));
}

/** Fill with normally distributed numbers, in place. */
export function normal(x: Tensor, mean = 0, deviation = 1, options: RandomOptions = {}): Tensor {
  checkOptions("normal", options, ["generator"]);
  const { generator } = options;
  return filled(x, normalTensor(x.shape, mean, deviation, { device: x.device, generator }));
}

/**
 * Kaiming He's initialisation, https://arxiv.org/abs/1502.01852, uniform, in place: outputs as large as inputs.
 *
 * conv weight `[R, S, C / groups, O]` or linear weight `[in, out]`
 *
 * @throws ShapeError if x has fewer than 2 axes.
 */
export function kaimingUniform(x: Tensor, options: KaimingOptions = {}): Tensor {
  const bound = Math.sqrt(3) * deviationOf("kaimingUniform", x.shape, options);
  return uniform(x, -bound, bound, { generator: options.generator });
}

/** Kaiming He's initialisation, normal, in place: as `kaimingUniform`. */
export function kaimingNormal(x: Tensor, options: KaimingOptions = {}): Tensor {
  return normal(x, 0, deviationOf("kaimingNormal", x.shape, options), { generator: options.generator });
}

/**
 * The identity for the first channels, in place: output o begins as input o, and outputs beyond the inputs stay as they are.
 * PyTorch's `dirac_` of those outputs.
 *
 * conv weight `[R, S, C, O]`, R and S odd
 *
 * @throws ShapeError if x has other axes, or a window without a middle.
 */
export function dirac(x: Tensor): Tensor {
  const [R, S, C, O] = x.shape as [number, number, number, number];
  if (x.shape.length !== 4 || R % 2 === 0 || S % 2 === 0) {
    throw new ShapeError(`dirac: a window of odd sides is needed: [R, S, C, O]. x is [${x.shape}].`);
  }
  const middle = ((R - 1) / 2) * S + (S - 1) / 2;
  const identity = new Float32Array(x.size);
  for (let c = 0; c < Math.min(C, O); c++) identity[(middle * C + c) * O + c] = 1;
  const isFree = Float32Array.from({ length: O }, (_, o) => (o < C ? 0 : 1));
  const values = scope(() => {
    const [start, free] = [
      tensor(identity, x.shape, { device: x.device }),
      tensor(isFree, [O], { device: x.device }),
    ];
    return noGrad(() => add(mul(x, free), start));
  });
  return filled(x, values);
}

/** A parameter as PyTorch begins those of Conv2d and Linear: uniform in ±1 / √fanIn. */
export function fromFanIn(shape: Shape, fanIn: number, { device, generator }: LayerOptions): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(uniformTensor(shape, -bound, bound, { ...(device && { device }), generator }));
}

function filled(x: Tensor, values: Tensor): Tensor {
  assign(x, values);
  values.dispose();
  return x;
}

function deviationOf(op: string, shape: Shape, options: KaimingOptions): number {
  checkOptions(op, options, ["mode", "nonlinearity", "slope", "generator"]);
  const { mode = "fanIn", nonlinearity = "leakyRelu", slope = 0 } = options;
  const gains: Readonly<Record<Nonlinearity, number>> = {
    ...{ linear: 1, sigmoid: 1, tanh: 5 / 3, relu: Math.SQRT2, selu: 3 / 4 },
    leakyRelu: Math.sqrt(2 / (1 + slope ** 2)),
  };
  checkChoice(op, "mode", mode, ["fanIn", "fanOut"]);
  checkChoice(op, "nonlinearity", nonlinearity, Object.keys(gains));
  if (shape.length < 2) {
    throw new ShapeError(
      `${op}: x has ${shape.length} axes, but a fan takes 2 or more: [R, S, C / groups, O] or [in, out]. x is [${shape}].`,
    );
  }
  const fan = sizeOf(shape) / shape.at(mode === "fanIn" ? -1 : -2)!;
  return gains[nonlinearity] / Math.sqrt(fan);
}
