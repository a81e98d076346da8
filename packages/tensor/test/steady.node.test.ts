import { expect, it } from "vitest";
import { type DeviceCounts, init, manualSeed } from "../src/index.ts";
import { SGD } from "../src/optim/index.ts";
import { smallNet, trainStep } from "./smallNet.ts";

/** Counts that stand still once a loop has warmed up. */
const held = ({ pipelines, bindGroups, buffers, bytes, freeBytes }: DeviceCounts) => ({
  pipelines,
  bindGroups,
  buffers,
  bytes,
  freeBytes,
});

it("1,000 training steps create no GPU object after the tenth", { timeout: 300_000 }, async () => {
  const device = await init();
  manualSeed(1);
  const net = smallNet();
  const optimizer = new SGD(net, { lr: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  const losses: number[] = [];
  let warm: DeviceCounts | undefined;
  for (let step = 1; step <= 1000; step++) {
    using loss = trainStep(net, optimizer, step);
    if (step % 5 === 0) losses.push(await loss.item());
    if (step === 10) warm = device.counts;
    // Look at every step, so that what comes and goes in between is seen as well.
    else if (warm) expect(held(device.counts), `after step ${step}`).toEqual(held(warm));
  }
  expect(device.counts.launches - warm!.launches).toBeGreaterThan(990 * 30);
  expect(Math.max(...losses.slice(-20))).toBeLessThan(losses[0]! / 5);
});
