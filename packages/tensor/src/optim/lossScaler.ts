import { lossScale } from "@shadegrad/kernels-wgsl/lossScale";
import { backward } from "../backward/backward.ts";
import { full, zeros } from "../core/create.ts";
import { run } from "../core/run.ts";
import { keep } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { checkNumbers, checkOption, checkOptions } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { matchState, restore, type State } from "../nn/match-state.ts";
import { cast } from "../ops/cast.ts";
import { gradientsOf, sumOfSquares } from "./clip.ts";
import { gathered } from "./gathered.ts";
import type { Slot } from "./stretches.ts";

export interface LossScalerOptions {
  /** Initial scale. */
  initial?: number;
  /** Good steps after which the scale is doubled. */
  interval?: number;
  device?: Device;
}

export interface ScaledStep {
  /** Shorten all gradients together where they, without the scale, are longer than this. */
  clipNorm?: number;
}

/** An optimizer that a scaler can take steps with: any of this package. */
export interface Scaled {
  readonly groups: readonly { readonly slots: readonly Slot[] }[];
  step(unscale?: Tensor): void;
}

/**
 * Dynamic loss scaling (Micikevicius et al., "Mixed precision training", 2018): gradients of a loss that is multiplied
 * by a large number do not vanish in f16. Where one overflows, the step is left out and the scale halved; after
 * `interval` steps without that it is doubled.
 *
 * `scaler.backward(loss)` and `scaler.step(optimizer)` take the places of `backward(loss)` and `optimizer.step()`; nothing
 * is waited for. Until the step, gradients are times the scale. A step that is left out still counts in Adam's bias
 * corrections, which makes a few steps after it smaller.
 */
export class LossScaler {
  /** `[]`: what the next loss is multiplied by, a power of two. */
  readonly scale: Tensor;
  /** `[]`, i32: steps since the scale was changed. */
  readonly #good: Tensor;
  readonly #interval: number;

  /** @throws RangeError if the scale is no number above 0, or the interval no whole one. */
  constructor(options: LossScalerOptions = {}) {
    checkOptions("LossScaler", options, ["initial", "interval", "device"]);
    const { initial = 2 ** 16, interval = 2000, device } = options;
    checkNumbers("LossScaler", { initial, interval });
    checkOption("LossScaler", "initial", initial, initial > 0 && initial < Infinity, "a number > 0");
    checkOption("LossScaler", "interval", interval, Number.isInteger(interval) && interval > 0, "1, 2, 3 …");
    const on = device ? { device } : {};
    this.scale = keep(full([], initial, on));
    this.#good = keep(zeros([], { ...on, dtype: "i32" }));
    this.#interval = interval;
  }

  /**
   * Compute gradients as `backward(loss)` does, times the scale.
   *
   * @throws ShapeError as that does.
   */
  backward(loss: Tensor): void {
    if (loss.size !== 1) {
      backward(loss); // checks that the loss has one element
      return;
    }
    using seed = this.scale.view(loss.shape);
    using typed = cast(seed, loss.dtype);
    backward(loss, typed);
  }

  /**
   * Move what the optimizers are for, unless a gradient of one of them overflowed.
   *
   * @throws RangeError if the limit is negative; ShapeError if no parameter has a gradient.
   */
  step(optimizers: Scaled | readonly Scaled[], options: ScaledStep = {}): void {
    checkOptions("LossScaler.step", options, ["clipNorm"]);
    const { clipNorm = Infinity } = options;
    checkNumbers("LossScaler", { clipNorm });
    checkOption("LossScaler", "clipNorm", clipNorm, clipNorm >= 0, "a number ≥ 0");
    const all = [optimizers].flat() as readonly Scaled[];
    const slots = all.flatMap(({ groups }) => groups.flatMap(({ slots }) => slots));
    const gradients = gathered(
      gradientsOf(
        "LossScaler",
        slots.map(({ w }) => w),
      ),
    );
    using squares = sumOfSquares(gradients);
    for (const x of gradients) x.dispose();
    const params = { interval: this.#interval, most: Math.min(clipNorm, LARGEST) };
    const writes = { unscale: [], scale: this.scale, good: this.#good };
    using unscale = run(lossScale, params, [squares], writes).unscale;
    for (const optimizer of all) optimizer.step(unscale);
  }

  /** All that is needed to go on where this scaler is. */
  stateDict(): Map<string, Tensor> {
    return new Map([
      ["scale", this.scale],
      ["good", this.#good],
    ]);
  }

  /**
   * Go on where another scaler was.
   *
   * @throws FormatError with all missing, unexpected and misshapen names at once.
   */
  loadStateDict(state: State): void {
    const shapes = (of: State) => new Map([...of].map(([name, { shape }]) => [name, shape]));
    matchState("LossScaler.loadStateDict", shapes(this.stateDict()), shapes(state), {});
    for (const [name, tensor] of this.stateDict()) restore(name, tensor, state.get(name)!);
  }

  dispose(): void {
    this.scale.dispose();
    this.#good.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Largest float32. */
const LARGEST = 3.4028234663852886e38;
