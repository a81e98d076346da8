import { beforeAll, describe, expect, it } from "vitest";
import { type Device, init, tensor } from "../../src/index.ts";
import { gathered } from "../../src/optim/gathered.ts";
import { expectNumbers, several, spread } from "../core/several.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

describe("gathered", () => {
  it("moves tensors on the GPU, once", async () => {
    const tensors = several();
    const { launches } = device.counts;
    const [flat] = gathered(tensors);
    expect(device.counts.launches - launches).toBe(2);
    expect(await flat!.data()).toEqual(spread());
    const [again] = gathered(tensors);
    expect(device.counts.launches - launches).toBe(2);
    await expectNumbers(tensors);
    for (const x of [...tensors, flat!, again!]) x.dispose();
  });

  it("leaves alone those of which one is there twice", async () => {
    const x = tensor([1, 2]);
    using y = x.view();
    const flat = gathered([x, y]);
    expect(flat.map(({ size }) => size)).toEqual([2, 2]);
    for (const one of [...flat, x]) one.dispose();
  });
});
