import type { State } from "../app/state.ts";
import type { BundledNet } from "../worker-client/messages/nets.ts";

/** Bytes that a visitor fetches for a net. */
export const bytesOf = ({ files, labels }: BundledNet): number =>
  [...files, ...(labels ? [labels] : [])].reduce((sum, { bytes }) => sum + bytes, 0);

/** The net whose features are used: the visitor's choice, the first on a GPU, or the smallest on a software adapter. */
export function baseOf({ assets, teach, device }: State): BundledNet | undefined {
  const nets = assets?.nets ?? [];
  const smallest = [...nets].sort((a, b) => bytesOf(a) - bytesOf(b))[0];
  const isSoftware = device.is !== "open" || device.info.software;
  return nets.find(({ id }) => id === teach.base) ?? (isSoftware ? smallest : nets[0]);
}
