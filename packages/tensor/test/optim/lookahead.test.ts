import { beforeAll, describe, expect, it } from "vitest";
import { assign, init, tensor } from "../../src/index.ts";
import { BatchNorm2d, parameter } from "../../src/nn/index.ts";
import { Lookahead } from "../../src/optim/index.ts";

beforeAll(async () => {
  await init();
});

describe("Lookahead", () => {
  it("moves the slow weights towards the fast ones, which go on from there", async () => {
    const model = { w: parameter(tensor([1, 2])) };
    const lookahead = new Lookahead(model);
    assign(model.w, [3, -2]);
    await lookahead.update(0.75);
    expect([...(await model.w.data())]).toEqual([1.5, 1]);
    assign(model.w, [5.5, 1]);
    await lookahead.update(0.5);
    expect([...(await model.w.data())]).toEqual([3.5, 1]);
    expect([...(await lookahead.stateDict().get("w")!.data())]).toEqual([3.5, 1]);
    assign(model.w, [0, 0]);
    await lookahead.update(1);
    expect([...(await model.w.data())]).toEqual([3.5, 1]);
  });

  it("takes running statistics along, and leaves counters", async () => {
    const model = { bn: new BatchNorm2d(2) };
    const lookahead = new Lookahead(model);
    assign(model.bn.runningMean, [4, 8]);
    assign(model.bn.numBatchesTracked, [7]);
    await lookahead.update(0.5);
    expect([...(await model.bn.runningMean.data())]).toEqual([2, 4]);
    expect(await model.bn.numBatchesTracked.item()).toBe(7);
  });

  it("goes on from a state, and refuses another model's", async () => {
    const model = { w: parameter(tensor([1, 2])) };
    const lookahead = new Lookahead(model);
    assign(model.w, [9, 9]);
    await lookahead.update(0.5);
    const other = { w: parameter(tensor([5, 5.5])) };
    const second = new Lookahead(other);
    second.loadStateDict(lookahead.stateDict());
    await second.update(1);
    expect([...(await other.w.data())]).toEqual([5, 5.5]);
    expect(() => second.loadStateDict(new Map())).toThrow(/missing/);
    await expect(second.update(1.5)).rejects.toThrow(/decay is 1.5/);
  });
});
