import type { Device } from "../device.ts";
import type { Generator } from "../random.ts";

/** What every layer with parameters takes. */
export interface LayerOptions {
  /** Where the parameters are made. */
  device?: Device | undefined;
  /** Where their first values come from; the default generator if absent. */
  generator?: Generator | undefined;
}

/** @throws RangeError unless each is a whole number ≥ 1, or a list of such. */
export function checkCounts(
  layer: string,
  counts: Readonly<Record<string, number | readonly number[]>>,
): void {
  for (const [name, value] of Object.entries(counts)) {
    const wrong = [value].flat().find((count) => !Number.isInteger(count) || count < 1);
    if (wrong === undefined) continue;
    const within = Array.isArray(value) ? `, in [${value}]` : "";
    throw new RangeError(`${layer}: ${name} has to be a whole number ≥ 1, not ${wrong}${within}.`);
  }
}
