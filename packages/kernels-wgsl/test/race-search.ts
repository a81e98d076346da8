import type { Case } from "../src/check.ts";
import { epilogueHoles } from "../src/launch/epilogue.ts";
import { type Kernel, specialize, type Variant } from "../src/launch/kernel.ts";
import { isStrided } from "./grids.ts";
import { needsMatrices } from "./imitated.ts";
import { findRaces } from "./races.ts";
import { isAble } from "./variants.ts";

/** Reason that the race finder takes too long for a variant and its case; undefined if it does not. */
export function tooLong(variant: Variant, example: Case): string | undefined {
  if (needsMatrices(variant)) return "the race finder would interpret imitated matrices for minutes";
  if (lengthOf(example) > LONG)
    return "the race finder would interpret sums of so many terms for half a minute";
  return undefined;
}

/**
 * The first race in a launch of at most so many workgroups along each axis.
 *
 * @throws Error if something beyond an array is read or written
 */
export function searchRaces(kernel: Kernel, variant: Variant, example: Case, most = 2) {
  const holes = holesOf(variant, example);
  const grid = variant.workgroups(example.params, holes).map((side) => Math.min(side, most));
  const reads = kernel.reads.map((_, i) => example.reads[i] ?? ABSENT);
  return findRaces(specialize(kernel.name, variant.source, holes), kernel, grid, { ...example, reads });
}

const ABSENT = new Float32Array(4);

const holesOf = (variant: Variant, { holes, epilogue }: Case) => ({
  ...variant.holes,
  ...holes,
  ...(epilogue && epilogueHoles(epilogue)),
});

/**
 * The smallest case of those that ask for it, else of those whose loops turn twice on two workgroups, or that several lanes
 * write to, else of all.
 */
export function toInterpret(variant: Variant, cases: readonly Case[]): Case {
  const workgroups = (example: Case) => variant.workgroups(example.params, holesOf(variant, example));
  const launched = cases.filter(
    (example) => isAble(variant, example.params) && workgroups(example).every((side) => side > 0),
  );
  const least = variant.needs?.includes("subgroups") ? SEVERAL : 0;
  const kinds = [
    launched.filter(({ races }) => races),
    launched.filter(
      (example) => isStrided(variant) && workgroups(example)[0] > 2 && lengthOf(example) <= LONG,
    ),
    launched.filter(({ writes }) => writes.some(({ length }) => length >= least)),
    launched,
  ];
  const found = kinds.find(({ length }) => length > 0) ?? [];
  return found.sort((a, b) => lengthOf(a) - lengthOf(b))[0]!;
}

/** Elements that more than one lane of a subgroup writes: each writes four of up to eight rows. */
const SEVERAL = 64;

/** Elements beyond which a case is not interpreted: of the variants for long sums, which only differ in registers. */
const LONG = 100_000;

const lengthOf = ({ reads, writes }: Case): number =>
  [...reads, ...writes].reduce((sum, { length }) => sum + length, 0);
