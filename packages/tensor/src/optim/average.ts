import { type Compiled, compile } from "../compile/compile.ts";
import { assign } from "../core/assign.ts";
import { noGrad } from "../core/autograd.ts";
import { full } from "../core/create.ts";
import { copied } from "../core/map.ts";
import { keep } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { matchState, restore, type State } from "../nn/match-state.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { floatState, wideCopies } from "./float-state.ts";

/**
 * An exponential moving average of a model's weights beside them: average = decay · average + (1 − decay) · weights, after
 * each step (Polyak & Juditsky 1992; timm's `ModelEmaV2`). Running statistics take part. The average is f32, whatever the
 * weights are.
 *
 * `swap` puts it into the model, for an evaluation, and the weights back.
 */
export class WeightAverage {
  readonly decay: number;
  readonly #weights: ReadonlyMap<string, Tensor>;
  readonly #average: ReadonlyMap<string, Tensor>;
  readonly #update: Compiled<[Tensor], void>;
  /** The weights, while the average is in their place. */
  #parked: ReadonlyMap<string, Tensor> | undefined;

  /** @throws RangeError if the decay is not from 0 to 1; ShapeError if the model has no weights. */
  constructor(model: object, decay = 0.999) {
    if (!(decay >= 0 && decay <= 1)) throw new RangeError(`WeightAverage: decay is ${decay}, not in [0, 1].`);
    this.decay = decay;
    this.#weights = floatState("WeightAverage", model);
    this.#average = wideCopies(this.#weights);
    this.#update = compile((share: Tensor) =>
      noGrad(() => {
        for (const [name, weights] of this.#weights) {
          const average = this.#average.get(name)!;
          assign(average, add(average, mul(share, sub(weights, average))));
        }
      }),
    );
  }

  /**
   * Move the average towards the weights: after each step of the optimizer.
   *
   * @throws Error between two calls of `swap`.
   */
  async update(): Promise<void> {
    if (this.#parked)
      throw new Error("WeightAverage: the average is in the model; swap() the weights back before update().");
    const [first] = this.#weights.values();
    using share = full([], 1 - this.decay, { device: first!.device });
    await this.#update(share);
  }

  /** Put the average into the model. A second call puts the weights back; no step may be between them. */
  async swap(): Promise<void> {
    const parked = this.#parked;
    this.#parked = parked
      ? undefined
      : new Map([...this.#weights].map(([name, weights]) => [name, keep(copied(weights))]));
    for (const [name, weights] of this.#weights) assign(weights, (parked ?? this.#average).get(name)!);
    for (const weights of parked?.values() ?? []) weights.dispose();
  }

  /** The average, f32, under the model's names. */
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
    for (const tensors of [this.#average, this.#parked ?? []])
      for (const tensor of tensors.values()) tensor.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
