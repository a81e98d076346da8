import { type Compiled, compile } from "../compile/compile.ts";
import { assign } from "../core/assign.ts";
import { noGrad } from "../core/autograd.ts";
import { full } from "../core/create.ts";
import type { Tensor } from "../core/tensor.ts";
import { matchState, restore, type State } from "../nn/match-state.ts";
import { add, mul, sub } from "../ops/arithmetic.ts";
import { floatState, wideCopies } from "./float-state.ts";

/**
 * Slow weights that follow a model's fast ones, which then go on from there (Zhang et al. 2019, "Lookahead optimizer: k
 * steps forward, 1 step back"). Running statistics take part: every tensor of the model's state that is not whole numbers.
 *
 * `update(0.95)` every few steps: slow = 0.95 · slow + 0.05 · fast; fast = slow. `update(1)` at the end leaves the slow
 * ones in the model. With `update` called at each step it is an exponential moving average that the model follows.
 */
export class Lookahead {
  readonly #fast: ReadonlyMap<string, Tensor>;
  readonly #slow: ReadonlyMap<string, Tensor>;
  readonly #update: Compiled<[Tensor], void>;

  /** @throws ShapeError if the model has no weights. */
  constructor(model: object) {
    this.#fast = floatState("Lookahead", model);
    this.#slow = wideCopies(this.#fast);
    this.#update = compile((share: Tensor) =>
      noGrad(() => {
        for (const [name, fast] of this.#fast) {
          const slow = this.#slow.get(name)!;
          assign(slow, add(slow, mul(share, sub(fast, slow))));
          assign(fast, slow);
        }
      }),
    );
  }

  /**
   * Move the slow weights, and put the fast ones there.
   *
   * @param decay share of the slow weights that stays, from 0 to 1
   * @throws RangeError if it is not.
   */
  async update(decay: number): Promise<void> {
    if (!(decay >= 0 && decay <= 1)) throw new RangeError(`Lookahead: decay is ${decay}, not in [0, 1].`);
    const [first] = this.#fast.values();
    using share = full([], 1 - decay, { device: first!.device });
    await this.#update(share);
  }

  /** The slow weights, f32, under the model's names. */
  stateDict(): Map<string, Tensor> {
    return new Map(this.#slow);
  }

  /** @throws FormatError with all missing, unexpected and misshapen names at once. */
  loadStateDict(state: State): void {
    const shapes = (of: State) => new Map([...of].map(([name, { shape }]) => [name, shape]));
    matchState("Lookahead.loadStateDict", shapes(this.#slow), shapes(state), {});
    for (const [name, slow] of this.#slow) restore(name, slow, state.get(name)!);
  }

  /** Free the slow weights; the model's stay. */
  dispose(): void {
    this.#update.dispose();
    for (const slow of this.#slow.values()) slow.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
