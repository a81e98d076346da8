import { type AnyVariant, choose, ofRole, tuningKey, type Variant } from "@shadegrad/kernels-wgsl";
import type { Recorded } from "../core/recorder.ts";
import type { Device } from "../gpu/device.ts";

/** Launches for which the same variant is right, and the variants to choose from. */
export interface Candidates {
  readonly key: string;
  /** The first of them, as an example: they differ in their epilogues at most. */
  readonly launch: Recorded;
  count: number;
  /** Variants that fit, the plain one included. */
  readonly variants: readonly AnyVariant[];
  /** The kernel's preference where nothing was measured. */
  readonly preferred: string;
}

/** Choices in these launches: launches of one variant, or of one that the caller names, are left out. */
export function candidatesOf(launches: readonly Recorded[], { adapter }: Device): Candidates[] {
  const all = new Map<string, Candidates>();
  for (const launch of launches) {
    const { kernel, params, holes } = launch;
    const variants = ofRole(kernel, params, adapter, holes);
    const { plain } = kernel.variants;
    if (launch.variant !== undefined || variants.length < 2 || isEmpty(plain, launch)) continue;
    const key = tuningKey(kernel, params, holes, adapter);
    const known = all.get(key);
    if (known) known.count++;
    else {
      const preferred = choose(kernel, params, { ...adapter, tuned: new Map() }, holes).name;
      all.set(key, { key, launch, count: 1, variants, preferred });
    }
  }
  return [...all.values()];
}

const isEmpty = (variant: Variant, { params, holes }: Recorded): boolean =>
  variant.workgroups(params, { ...variant.holes, ...holes }).includes(0);
