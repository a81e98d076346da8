import type { Case } from "../src/check.ts";
import type { AnyVariant, Variant } from "../src/launch/kernel.ts";

/** A variant on a grid that only launches larger than any case have, and a case to run it on. */
interface OnAnotherGrid {
  readonly variant: Variant;
  readonly example: Case;
}

/** True if an invocation steps over its elements by the size of the grid, as far as one row of workgroups goes. */
export const isStrided = ({ source }: Variant): boolean => /(?<!wg\.y \* )\bgrid\.x\b/.test(source);

/** True if a workgroup gives itself a number, by which `spread` tells them apart. */
const isNumbered = ({ source }: Variant): boolean =>
  ["workgroup_id", "num_workgroups"].every((builtin) => source.includes(`@builtin(${builtin})`));

/**
 * The variant with half of its workgroups, where invocations then take twice as many elements, or with its workgroups in
 * two rows, as beyond 65,535; the reason if it is neither, or no case has several workgroups.
 */
export function onAnotherGrid(variant: AnyVariant, cases: readonly Case[]): OnAnotherGrid | string {
  if ("stages" in variant) return "its stages are variants of their own";
  const strided = isStrided(variant);
  if (!strided && !isNumbered(variant)) return "its workgroups are in one row at any size";
  const example = fewestWorkgroups(variant, cases, strided);
  if (!example) return "no case has several workgroups in one row";
  return { variant: strided ? withHalf(variant) : inTwoRows(variant), example };
}

/** The variant with half of its workgroups. */
const withHalf = (variant: Variant): Variant => ({
  ...variant,
  workgroups: (params, holes) => {
    const [x, y, z] = variant.workgroups(params, holes);
    return [Math.ceil(x / 2), y, z];
  },
});

/** The variant on a grid of two rows, with a workgroup too many where their count is odd. */
const inTwoRows = (variant: Variant): Variant => ({
  ...variant,
  workgroups: (params, holes) => {
    const [count] = variant.workgroups(params, holes);
    return [Math.ceil(count / 2), 2, 1];
  },
});

/** The case with the fewest workgroups of those with several in a row, an odd count if there is one. */
function fewestWorkgroups(variant: Variant, cases: readonly Case[], anyRows: boolean): Case | undefined {
  const counted = cases.map((example) => {
    const [x, y, z] = variant.workgroups(example.params, { ...variant.holes, ...example.holes });
    return { example, count: anyRows || (y === 1 && z === 1) ? x * Math.min(1, y, z) : 0 };
  });
  const several = counted.filter(({ count }) => count > 1).sort((a, b) => a.count - b.count);
  return (several.find(({ count }) => count % 2 === 1) ?? several[0])?.example;
}
