/** Runs a variant so many times in a row; gives the microseconds of each run. */
export type Clock = (variant: string, runs: number) => Promise<number>;

/** Microseconds of one run of a variant. */
export interface Time {
  readonly variant: string;
  readonly microseconds: number;
}

/** Microseconds that the runs of a variant between two others take together. */
const BATCH = 10_000;
const MOST_RUNS = 1000;
/** Batches of each variant in a heat. */
const ROUNDS = 7;
/** A variant so many times slower than the fastest at the first try is not tried again. */
const HOPELESS = 3;
/** Browsers round timestamps to so many microseconds: a single run may read as 0. */
const TICK = 100;
/** A variant has to be so many times faster than the one in place: a tie changes nothing. */
const LEAST_GAIN = 1.03;

/**
 * Find the fastest variant, and do not take noise for it: `incumbent` stays, unless the fastest of a first heat beats it
 * by more than the spread of both, and does so again in a second heat between the two.
 *
 * @param incumbent the variant in place; one of `variants`
 * @returns the winner, and the time of each variant, the fastest first
 */
export async function contest(
  variants: readonly string[],
  incumbent: string,
  clock: Clock,
): Promise<{ winner: string; times: Time[] }> {
  const first = new Map<string, number>();
  for (const variant of variants) first.set(variant, await clock(variant, 1));
  const limit = HOPELESS * Math.max(TICK, Math.min(...first.values()));
  const hopeful = variants.filter((variant) => variant === incumbent || first.get(variant)! <= limit);
  const found = await heat(hopeful, first, clock);
  const timeOf = (variant: string): number =>
    found.get(variant)?.length ? median(found.get(variant)!) : first.get(variant)!;
  const times = variants
    .map((variant): Time => ({ variant, microseconds: timeOf(variant) }))
    .sort((a, b) => a.microseconds - b.microseconds);
  const challenger = times.find(({ variant }) => hopeful.includes(variant))!.variant;
  if (challenger === incumbent || !beats(challenger, incumbent, found)) return { winner: incumbent, times };
  const again = await heat([incumbent, challenger], first, clock);
  return { winner: beats(challenger, incumbent, again) ? challenger : incumbent, times };
}

/** Microseconds of one run in each batch. Variants take turns, so that what disturbs one disturbs all. */
async function heat(
  variants: readonly string[],
  first: ReadonlyMap<string, number>,
  clock: Clock,
): Promise<Map<string, number[]>> {
  const batches = new Map(variants.map((variant): [string, number[]] => [variant, []]));
  if (variants.length < 2) return batches;
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < variants.length; i++) {
      // Another one begins each time.
      const variant = variants[(round + i) % variants.length]!;
      const estimate = batches.get(variant)!.at(-1) ?? first.get(variant)!;
      const runs = Math.min(Math.max(1, Math.round(BATCH / estimate)), MOST_RUNS);
      batches.get(variant)!.push(await clock(variant, runs));
    }
  }
  return batches;
}

/** True if a variant's lead over another one is more than the spread of either, and enough to matter. */
function beats(challenger: string, incumbent: string, batches: ReadonlyMap<string, number[]>): boolean {
  const [ours, theirs] = [batches.get(challenger)!, batches.get(incumbent)!];
  const lead = median(theirs) - median(ours);
  return lead > Math.max(spread(ours), spread(theirs)) && median(theirs) > LEAST_GAIN * median(ours);
}

const quantile = (values: readonly number[], at: number): number =>
  [...values].sort((a, b) => a - b)[Math.round(at * (values.length - 1))] ?? Number.NaN;

const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Distance between the quartiles: one disturbed batch does not count. */
const spread = (values: readonly number[]): number => quantile(values, 0.75) - quantile(values, 0.25);
