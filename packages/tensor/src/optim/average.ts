import { type Compiled, compile } from "../compile/compile.ts";
import { assign } from "../core/assign.ts";
import { noGrad } from "../core/autograd.ts";
import { full } from "../core/create.ts";
import { isInteger } from "../core/dtype.ts";
import { keep } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { matchState, restore, type State } from "../nn/match-state.ts";
import { stateDict } from "../nn/module.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";

/**
 * An exponential moving average of a model's weights beside them: average = decay · average + (1 − decay) · weights, after
 * each step (Polyak & Juditsky 1992; timm's `ModelEmaV2`). Running statistics take part.
 *
 * `swap` exchanges it with the model's weights, for an evaluation, and back.
 */
export class WeightAverage {
  readonly decay: number;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #average: ReadonlyMap<string, Tensor>;
  readonly #update: Compiled<[Tensor], void>;
  readonly #swap: Compiled<[], void>;

  /** @throws RangeError if the decay is not from 0 to 1. */
  constructor(model: object, decay = 0.999) {
    if (!(decay >= 0 && decay <= 1)) throw new RangeError(`WeightAverage: decay is ${decay}, not in [0, 1].`);
    this.decay = decay;
    this.#weights = new Map([...stateDict(model)].filter(([, { dtype }]) => !isInteger(dtype)));
    this.#average = new Map([...this.#weights].map(([name, x]) => [name, keep(noGrad(() => mul(x, 1)))]));
    this.#update = compile((share: Tensor) => {
      this.#each((weights, average) => assign(average, add(average, mul(share, sub(weights, average)))));
    });
    this.#swap = compile(() => {
      this.#each((weights, average) => {
        const before = mul(weights, 1);
        assign(weights, average);
        assign(average, before);
      });
    });
  }

  /** Move the average towards the weights: after each step of the optimizer. */
  async update(): Promise<void> {
    const [first] = this.#weights.values();
    using share = full([], 1 - this.decay, { device: first!.device });
    await this.#update(share);
  }

  /** Exchange the average with the model's weights. A second call undoes it; no step may be between them. */
  async swap(): Promise<void> {
    await this.#swap();
  }

  /** The average, under the model's names. */
  stateDict(): Map<string, Tensor> {
    return new Map(this.#average);
  }

  /** @throws FormatError with all missing, unexpected and misshapen names at once. */
  loadStateDict(state: State): void {
    const shapes = (of: State) => new Map([...of].map(([name, { shape }]) => [name, shape]));
    matchState("WeightAverage.loadStateDict", shapes(this.#average), shapes(state), {});
    for (const [name, average] of this.#average) restore(name, average, state.get(name)!);
  }

  /** Free the average; the model's weights stay. */
  dispose(): void {
    this.#update.dispose();
    this.#swap.dispose();
    for (const average of this.#average.values()) average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #each(f: (weights: Tensor, average: Tensor) => void): void {
    noGrad(() => {
      for (const [name, weights] of this.#weights) f(weights, this.#average.get(name)!);
    });
  }
}
