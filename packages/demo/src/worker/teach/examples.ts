import { shuffled } from "@shadegrad/resnet";
import type { TeachLearn } from "../../worker-client/messages/teach.ts";

/** Pictures by number, with their classes. */
export type Labelled = TeachLearn["examples"];

export interface Divided {
  readonly learned: Labelled;
  /** Kept for testing; none where no class has enough pictures. */
  readonly tested: Labelled;
}

/** Pictures of a class of which one is kept for testing. */
const TESTED = 5;

/** Keep every fifth picture of a class for testing. */
export function divided(examples: Labelled): Divided {
  const seen = new Map<number, number>();
  const isTested = examples.map(({ label }) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count % TESTED === 0;
  });
  return { learned: examples.filter((_, i) => !isTested[i]), tested: examples.filter((_, i) => isTested[i]) };
}

/** Batches of equal size, over several epochs, each in another order; the last of an epoch begins again to be full. */
export function batchesOf(examples: Labelled, most: number, epochs: number): Labelled[] {
  const size = Math.min(most, examples.length);
  return Array.from({ length: epochs }, (_, epoch) => {
    const order = shuffled(examples.length, 1, epoch);
    return Array.from({ length: Math.ceil(order.length / size) }, (_, batch) =>
      Array.from({ length: size }, (_, k) => examples[order[(batch * size + k) % order.length]!]!),
    );
  }).flat();
}
