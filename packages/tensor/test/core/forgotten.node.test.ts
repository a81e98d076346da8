import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { beforeAll, expect, it } from "vitest";
import { type Device, init, keep, relu, scope, tensor, zeros } from "../../src/index.ts";

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const inUse = () => device.counts.bytes - device.counts.freeBytes;

/** Bytes in use once the collector has run. */
async function found(): Promise<number> {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 10));
  return inUse();
}

/** Makes tensors and forgets them; in a function of its own, so that no variable of the test holds one. */
const forgetting: readonly (readonly [string, () => void])[] = [
  ["outside of all scopes", () => void zeros([1000])],
  ["once its scope has returned it", () => void scope(() => zeros([1000]))],
  ["that was returned out of two scopes", () => void scope(() => scope(() => zeros([1000])))],
  ["that was kept", () => void scope(() => void keep(zeros([1000])))],
  [
    "with all that only its gradient needs",
    () => void scope(() => relu(relu(tensor([1], { requiresGrad: true })))),
  ],
];

it.each(forgetting)("the collector frees a tensor that was forgotten %s", async (_, forget) => {
  const before = await found();
  forget();
  expect(inUse()).toBeGreaterThan(before);
  await expect.poll(found, { timeout: 10_000 }).toBe(before);
});

it("the collector leaves alone what a scope still holds", async () => {
  const before = await found();
  const open = scope();
  zeros([1000]);
  const held = inUse();
  for (let i = 0; i < 5; i++) expect(await found()).toBe(held);
  open.close();
  expect(inUse()).toBe(before);
});
