import { checkAmount, checkChoice, checkNumbers, checkOption, checkOptions } from "../errors.ts";

export interface PlateauOptions {
  /** The first rate. */
  lr: number;
  /** Factor of the rate after each plateau, below 1; 0.1 if absent. */
  factor?: number | undefined;
  /** Measurements without an improvement that are waited for; 10 if absent. */
  patience?: number | undefined;
  /** The lowest rate; 0 if absent. */
  min?: number | undefined;
  /** Relative improvement that counts as one; 1e-4 if absent. */
  threshold?: number | undefined;
  /** Measurements after a fall in which nothing is counted; 0 if absent. */
  cooldown?: number | undefined;
  /** `min` for losses, `max` for accuracies; `min` if absent. */
  mode?: "min" | "max" | undefined;
}

const OPTIONS = ["lr", "factor", "patience", "min", "threshold", "cooldown", "mode"];

/**
 * A learning rate that falls when a measurement, such as the validation's loss, no longer improves; PyTorch's
 * ReduceLROnPlateau: `optimizer.lr = schedule(loss)` after each epoch.
 *
 * @throws TypeError if an option is no number; RangeError if it makes no sense.
 */
export function plateau(options: PlateauOptions): (measured: number) => number {
  checkOptions("plateau", options, OPTIONS);
  const { factor = 0.1, patience = 10, min = 0, threshold = 1e-4, cooldown = 0, mode = "min" } = options;
  checkNumbers("plateau", { factor });
  checkOption("plateau", "factor", factor, factor > 0 && factor < 1, "between 0 and 1");
  for (const [name, value] of Object.entries({ lr: options.lr, patience, min, threshold, cooldown }))
    checkAmount("plateau", name, value);
  checkChoice("plateau", "mode", mode, ["min", "max"]);
  let { lr } = options;
  let best = mode === "min" ? Infinity : -Infinity;
  let [waited, resting] = [0, 0];
  const improves = (measured: number) =>
    mode === "min" ? measured < best * (1 - threshold) : measured > best * (1 + threshold);
  return (measured) => {
    // ∞ · (1 − threshold) is ∞: the first measurement improves.
    if (improves(measured)) [best, waited] = [measured, 0];
    else waited++;
    if (resting > 0) [resting, waited] = [resting - 1, 0];
    if (waited > patience) {
      lr = Math.max(lr * factor, min);
      [waited, resting] = [0, cooldown];
    }
    return lr;
  };
}
