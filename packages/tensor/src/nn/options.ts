import type { Generator } from "../core/generator.ts";
import type { Device } from "../gpu/device.ts";

/** Options of every layer with parameters. */
export interface LayerOptions {
  /** Device of the parameters. */
  device?: Device | undefined;
  /** Source of their initial values; the default generator if absent. */
  generator?: Generator | undefined;
}

/** @throws RangeError unless each is a whole number ≥ 1. */
export function checkCounts(layer: string, counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${layer}: ${name} has to be a whole number ≥ 1, not ${value}.`);
    }
  }
}
