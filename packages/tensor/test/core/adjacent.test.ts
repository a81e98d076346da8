import { beforeAll, describe, expect, it } from "vitest";
import { areAdjacent, makeAdjacent, spanOf } from "../../src/core/adjacent.ts";
import { assign, type Device, init, noGrad, tensor } from "../../src/index.ts";
import { expectNumbers, numbers, several, spread } from "./several.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

describe("makeAdjacent", () => {
  it("moves tensors with those that share their memory, and keeps their numbers", async () => {
    const tensors = several();
    const views = tensors.map((x) => x.view());
    makeAdjacent(tensors);
    for (const [i, x] of tensors.slice(1).entries()) expect(areAdjacent(tensors[i]!, x)).toBe(true);
    await expectNumbers(tensors);
    await expectNumbers(views);
    assign(tensors[3]!, numbers(100, 50));
    expect(await views[3]!.data()).toEqual(numbers(100, 50));
    expect(await tensors[4]!.data()).toEqual(numbers(65, 4));
    for (const x of [...tensors, ...views]) x.dispose();
  });

  it("holds no more memory than the tensors had, and gives it back with the last of them", async () => {
    device.trim();
    const before = device.counts.bytes;
    const tensors = several();
    makeAdjacent(tensors);
    expect(device.counts.bytes - device.counts.freeBytes - before).toBeLessThanOrEqual(4 * spread().length);
    for (const x of tensors) x.dispose();
    device.trim();
    expect(device.counts.bytes).toBe(before);
  });

  it("lets one of them be copied to another, which lie in one buffer then", async () => {
    const tensors = [tensor([1, 2]), tensor([3, 4])] as const;
    makeAdjacent(tensors);
    noGrad(() => assign(tensors[1], tensors[0]));
    expect(await tensors[1].data()).toEqual(Float32Array.of(1, 2));
    for (const x of tensors) x.dispose();
  });
});

describe("spanOf", () => {
  it("is all of them as one, with zeros between them", async () => {
    const tensors = several();
    makeAdjacent(tensors);
    using span = spanOf(tensors);
    expect(await span.data()).toEqual(spread());
    for (const x of tensors) x.dispose();
  });

  it("can begin and end in the middle", async () => {
    const tensors = several();
    makeAdjacent(tensors);
    using span = spanOf(tensors.slice(1, 3));
    expect(await span.data()).toEqual(spread().slice(64, 192));
    for (const x of tensors) x.dispose();
  });
});
