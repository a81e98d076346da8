import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { compile, init, mul, openDevice, type Tensor, tensor } from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

/** Threads of this process, and MiB that it holds. */
function held(): { threads: number; memory: number } {
  const status = readFileSync("/proc/self/status", "utf8");
  const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)![1]);
  return { threads: number("Threads"), memory: number("VmRSS") / 1024 };
}

async function openedAndClosed(): Promise<void> {
  const device = await openDevice({ quiet: true });
  const f = compile((x: Tensor) => mul(x, 2));
  expect(await (await f(tensor([3], { device }))).item()).toBe(6);
  device.destroy();
  await device.lost;
}

/** Let the collector find what is closed. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const PATIENCE = { timeout: 20_000, interval: 100 };

it.runIf(process.platform === "linux")("100 closed devices leave neither memory nor threads", async () => {
  const open = async (count: number) => {
    for (let i = 1; i <= count; i++) {
      await openedAndClosed();
      if (i % 10 === 0) await settled();
    }
    return held();
  };
  const before = await open(40);
  await open(60);
  // Each that stays holds a thread and half a MiB. On a busy machine the driver's threads free what they had a little later.
  await expect
    .poll(async () => (await settled(), held().threads), PATIENCE)
    .toBeLessThanOrEqual(before.threads + 2);
  await expect.poll(async () => (await settled(), held().memory), PATIENCE).toBeLessThan(before.memory + 25);
});

it("init in the tick in which the device is destroyed opens another", async () => {
  const first = await init({ quiet: true });
  first.destroy();
  const second = await init();
  expect(second).not.toBe(first);
  expect(await tensor([3]).item()).toBe(3);
});
