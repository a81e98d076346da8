import { beforeAll, expect, it } from "vitest";
import { add, assign, type Device, init, ones, type Tensor, tensor } from "../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

it("a stretch of launches without an await makes a bounded number of bind groups, and right results", async () => {
  const before = device.counts.bindGroups;
  const total = tensor([0, 0, 0]);
  const one = ones([3]);
  const kept: Tensor[] = [];
  for (let i = 0; i < 9000; i++) {
    // Each result has memory of its own, and so would have a bind group of its own.
    kept.push(add(kept.at(-1) ?? one, 1));
    if (i % 1000 === 999) assign(total, add(total, kept.at(-1)!));
  }
  expect(device.counts.bindGroups - before).toBeLessThan(8192 + 100);
  expect(await kept[8999]!.data()).toEqual(Float32Array.of(9001, 9001, 9001));
  expect(await kept[8500]!.data()).toEqual(Float32Array.of(8502, 8502, 8502));
  expect((await total.data())[2]).toBe(9 * 5000 + 9);
  for (const x of [...kept, total]) x.dispose();
  // The next stretch has bind groups of its own again.
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await add(one, 1).data()).toEqual(Float32Array.of(2, 2, 2));
});
