import type { Adapter } from "../launch/kernel.ts";

/** Whether every subgroup has just so many invocations here. */
export const hasSubgroupsOf = (size: number, { subgroupSize: [min, max] }: Adapter): boolean =>
  min === size && max === size;
