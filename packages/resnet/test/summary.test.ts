import { init, scope, zeros } from "@shadegrad/tensor";
import { stateDict } from "@shadegrad/tensor/nn";
import { beforeAll, expect, test } from "vitest";
import { listening, ResNet, resnet8, resnet20 } from "../src/index.ts";
import { summary } from "../src/summary.ts";

beforeAll(async () => {
  await init();
});

test("rows, as data and as a table of 80 columns", async () => {
  const found = summary(resnet8(), [32, 32, 3]);
  expect(found.toString()).toMatchInlineSnapshot(`
    "layer                                     output  parameters mult-adds    memory
    input                                  1×32×32×3                                
    base.conv                             1×32×32×16         432     442 k    64 KiB
    base.bn                               1×32×32×16          32              64 KiB
    base.blocks.0.conv1                   1×32×32×16       2,304    2.36 M    64 KiB
    base.blocks.0.bn1                     1×32×32×16          32              64 KiB
    base.blocks.0.conv2                   1×32×32×16       2,304    2.36 M    64 KiB
    base.blocks.0.bn2                     1×32×32×16          32              64 KiB
    base.blocks.1.conv1                   1×16×16×32       4,608    1.18 M    32 KiB
    base.blocks.1.bn1                     1×16×16×32          64              32 KiB
    base.blocks.1.conv2                   1×16×16×32       9,216    2.36 M    32 KiB
    base.blocks.1.bn2                     1×16×16×32          64              32 KiB
    base.blocks.1.shortcut                1×16×16×32                          32 KiB
    base.blocks.2.conv1                     1×8×8×64      18,432    1.18 M    16 KiB
    base.blocks.2.bn1                       1×8×8×64         128              16 KiB
    base.blocks.2.conv2                     1×8×8×64      36,864    2.36 M    16 KiB
    base.blocks.2.bn2                       1×8×8×64         128              16 KiB
    base.blocks.2.shortcut                  1×8×8×64                          16 KiB
    fc                                          1×10         650       640     1 KiB
    ────────────────────────────────────────────────────────────────────────────────
    all                                                   75,290    12.2 M   625 KiB
    297 KiB of weights; 625 KiB of outputs, which training keeps."
  `);
  expect(
    Math.max(
      ...found
        .toString()
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(80);
  expect(found.rows[0]).toEqual({
    name: "base.conv",
    type: "Conv2d",
    shape: [1, 32, 32, 16],
    parameters: 432,
    multiplyAdds: 32 * 32 * 16 * 27,
    bytes: 4 * 32 * 32 * 16,
  });
});

test("the published counts of the CIFAR nets", () => {
  expect(summary(resnet20(), [32, 32, 3])).toMatchObject({ parameters: 269_722, multiplyAdds: 40_551_040 });
  expect(summary(resnet20({ shortcut: "projection" }), [32, 32, 3]).parameters).toBe(272_474);
});

test("a batch costs as many times more, and grouped convolutions less", () => {
  const [one, two] = [summary(resnet8(), [1, 32, 32, 3]), summary(resnet8(), [2, 32, 32, 3])];
  expect([two.multiplyAdds, two.activationBytes]).toEqual([2 * one.multiplyAdds, 2 * one.activationBytes]);
  expect(two.parameters).toBe(one.parameters);
  const grouped = new ResNet({ nBlocks: [1], nChannels: [16], bottlenecks: [8], groups: 4, classes: 2 });
  const row = summary(grouped, [16, 16, 3]).rows.find(({ name }) => name === "base.blocks.0.conv2")!;
  expect([row.parameters, row.multiplyAdds]).toEqual([9 * 2 * 8 + 8, 8 * 8 * 8 * 9 * 2]);
});

test("the model is as before: modes, statistics and methods", async () => {
  const net = resnet8();
  const before = Object.keys(net.base.conv);
  net.base.bn.training = false;
  summary(net, [32, 32, 3]);
  expect([net.base.bn.training, net.base.blocks[0]!.bn1.training]).toEqual([false, true]);
  expect(Object.keys(net.base.conv)).toEqual(before);
  expect(Object.hasOwn(net.base.conv, "forward")).toBe(false);
  expect(await stateDict(net).get("base.blocks.0.bn1.num_batches_tracked")!.item()).toBe(0);
  expect(() => summary(net, [32, 32, 5])).toThrow("channels");
  expect(Object.hasOwn(net.base.conv, "forward")).toBe(false);
});

test("layers are listened to in the order in which they run, and not any more afterwards", () => {
  const model = resnet8();
  const calls: string[] = [];
  const listener = {
    before: ({ name }: { name: string }) => void calls.push(`> ${name}`),
    after: ({ name }: { name: string }, { shape }: { shape: readonly number[] }) =>
      void calls.push(`< ${name} [${shape}]`),
  };
  const run = () => scope(() => void model.forward(zeros([1, 32, 32, 3])));
  listening(model, listener, run);
  expect(calls.slice(0, 5)).toEqual([
    "> model",
    "> base",
    "> base.conv",
    "< base.conv [1,32,32,16]",
    "> base.bn",
  ]);
  expect(calls.slice(-4)).toEqual(["< base [1,64]", "> fc", "< fc [1,10]", "< model [1,10]"]);
  expect(calls).toContain("< base.blocks.1 [1,16,16,32]");
  expect(calls).not.toContain("< base.blocks.0.shortcut [1,32,32,16]"); // an identity
  const { length } = calls;
  run();
  expect(calls).toHaveLength(length);
});
