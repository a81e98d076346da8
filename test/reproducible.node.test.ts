import { expect, it } from "vitest";
import { trainedElsewhere } from "../scripts/test/trained.mjs";

it("two processes train the same weights from the same seed, bit by bit", async () => {
  const first = await trainedElsewhere(1);
  expect(await trainedElsewhere(1)).toEqual(first);
  expect(first.losses.at(-1)).toBeLessThan(first.losses[0]! / 2);
  expect(Object.keys(first.state)).toHaveLength(16);
  const other = await trainedElsewhere(2);
  for (const [name, hash] of Object.entries(first.state)) {
    if (!name.endsWith("num_batches_tracked")) expect(other.state[name], name).not.toBe(hash);
  }
});
