import type { Adapter } from "../launch/kernel.ts";

/** True if every subgroup has just so many invocations here. */
export const hasSubgroupsOf = (size: number, { subgroupSize: [min, max] }: Adapter): boolean =>
  min === size && max === size;
