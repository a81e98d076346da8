import type { Tensor } from "@shadegrad/tensor";
import type { Writable } from "@shadegrad/tensor/formats";
import { type BatchNorm2d, type Conv2d, type Linear, stateDict, torchStateDict } from "@shadegrad/tensor/nn";
import { layersOf } from "../listen.ts";
import type { OnnxGraph, Weights } from "./graph.ts";

/** Writes the layers of one net as operators on `[N, C, H, W]`. */
export class LayerWriter {
  readonly graph: OnnxGraph;
  readonly #fold: boolean;
  readonly #state: ReadonlyMap<string, Writable>;
  readonly #names: ReadonlyMap<Tensor, string>;
  readonly #scopes: ReadonlyMap<object, string>;
  readonly #rename: (name: string) => string;

  /** @param rename the published name of a tensor or a layer */
  constructor(graph: OnnxGraph, net: object, rename: (name: string) => string, fold: boolean) {
    this.graph = graph;
    this.#fold = fold;
    this.#state = torchStateDict(net);
    this.#names = new Map([...stateDict(net)].map(([name, tensor]) => [tensor, name]));
    this.#scopes = new Map(layersOf(net).map(({ name, layer }) => [layer, scopeOf(rename(name))]));
    this.#rename = rename;
  }

  /** Path of a layer in the names of its operators. */
  scope(layer: object): string {
    return this.#scopes.get(layer)!;
  }

  /** A convolution and the batch norm after it, as one convolution if they are to be folded. */
  convNorm(conv: Conv2d, norm: BatchNorm2d, x: string): string {
    return this.#fold ? this.#conv(conv, x, norm) : this.norm(norm, this.conv(conv, x));
  }

  conv(conv: Conv2d, x: string): string {
    return this.#conv(conv, x);
  }

  norm(norm: BatchNorm2d, x: string): string {
    const { weight, bias, runningMean, runningVar, eps } = norm;
    const state = [weight, bias, runningMean, runningVar].map((tensor) => this.#weights(tensor));
    return this.graph.op("BatchNormalization", this.scope(norm), [x, ...state], { epsilon: { float: eps } });
  }

  /** x · weight + bias, then the value has the name `output`. */
  linear(linear: Linear, x: string, output?: string): string {
    const inputs = [x, this.#weights(linear.weight), ...(linear.bias ? [this.#weights(linear.bias)] : [])];
    return this.graph.op("Gemm", this.scope(linear), inputs, { transB: 1 }, output);
  }

  #conv(conv: Conv2d, x: string, norm?: BatchNorm2d): string {
    const [R, S] = conv.weight.shape as [number, number];
    const padding = both(conv.padding as number);
    const attributes = {
      dilations: both(conv.dilation),
      group: conv.groups,
      kernel_shape: [R, S],
      pads: [...padding, ...padding],
      strides: both(conv.stride),
    };
    const weights = norm
      ? this.#folded(conv, norm)
      : [this.#weights(conv.weight), ...(conv.bias ? [this.#weights(conv.bias)] : [])];
    return this.graph.op("Conv", this.scope(conv), [x, ...weights], attributes);
  }

  /**
   * Weight and bias that do what the convolution and its batch norm do:
   * w · γ / √(σ² + ε) and β + (b − μ) · γ / √(σ² + ε).
   */
  #folded(conv: Conv2d, { weight: gamma, bias: beta, runningMean, runningVar, eps }: BatchNorm2d): string[] {
    const factors = async () => {
      const [scale, variance] = [await gamma.data(), await runningVar.data()];
      return Float64Array.from(scale, (value, o) => value / Math.sqrt(variance[o]! + eps));
    };
    const weight = this.#weightsOf(conv.weight);
    const channels = gamma.size;
    const weightValues = async () => {
      const [values, factor] = [await weight.values(), await factors()];
      const each = values.length / channels; // [O, C, R, S]
      return Float64Array.from(values, (value, i) => value * factor[Math.floor(i / each)]!);
    };
    const biasValues = async () => {
      const [shift, means, factor] = [await beta.data(), await runningMean.data(), await factors()];
      const own = await conv.bias?.data();
      return Float64Array.from(shift, (value, o) => value + ((own?.[o] ?? 0) - means[o]!) * factor[o]!);
    };
    const name = this.#name(conv.weight);
    return [
      this.graph.weights(name, { shape: weight.shape, values: weightValues }),
      this.graph.weights(name.replace(/weight$/, "bias"), { shape: [channels], values: biasValues }),
    ];
  }

  #weights(tensor: Tensor): string {
    return this.graph.weights(this.#name(tensor), this.#weightsOf(tensor));
  }

  #weightsOf(tensor: Tensor): Weights {
    const { shape, data } = this.#state.get(this.#names.get(tensor)!)!;
    return { shape, values: async () => (typeof data === "function" ? data() : data) as ArrayLike<number> };
  }

  #name(tensor: Tensor): string {
    return this.#rename(this.#names.get(tensor)!);
  }
}

const both = (value: number | readonly number[]): readonly number[] =>
  typeof value === "number" ? [value, value] : value;

/**
 * Path of a layer as PyTorch's exporter has it, in which an element of a list repeats the name of the list:
 * `layer1.0.conv1` is `/layer1/layer1.0/conv1`.
 */
function scopeOf(name: string): string {
  const parts = name.replace(/\.$/, "").split(".");
  const path = parts.map((part, i) => (/^\d+$/.test(part) && i > 0 ? `${parts[i - 1]}.${part}` : part));
  return path.map((part) => `/${part}`).join("");
}
