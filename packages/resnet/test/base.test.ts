import {
  backward,
  compile,
  init,
  mul,
  noGrad,
  randn,
  relu,
  scope,
  sum,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { countParameters, dispose, evaluate, stateDict } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, it } from "vitest";
import { BottleneckResidualBlock, ResidualBlock, ResNetBase, ShortcutPadding, zoo } from "../src/index.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

const small = { nBlocks: [1, 1], nChannels: [4, 8], firstKernelSize: 3 };

describe("ResNetBase", () => {
  it.each([
    ["stages that differ in number", { nBlocks: [2, 2], nChannels: [8] }],
    ["bottlenecks for other stages", { ...small, bottlenecks: [2] }],
    ["no stage", { nBlocks: [], nChannels: [] }],
    ["no block", { nBlocks: [1, 0], nChannels: [4, 8] }],
    ["no channel", { ...small, nChannels: [4, 0] }],
    ["half a channel", { ...small, imgChannels: 1.5 }],
    ["groups that do not divide", { ...small, bottlenecks: [4, 6], groups: 4 }],
    [
      "a shortcut that would have to drop channels",
      { ...small, nChannels: [8, 4], shortcut: "pad-end" as const },
    ],
  ])("refuses %s", (name, options) => {
    let message = "this was let through";
    try {
      new ResNetBase(options);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toBe(MESSAGES[name]);
  });

  it("makes features of any image size: a number a channel", () => {
    const base = evaluate(new ResNetBase({ ...small, bottlenecks: [2, 4] }));
    for (const [h, w] of [
      [8, 8],
      [9, 13],
      [1, 1],
    ]) {
      expect(noGrad(() => scope(() => base.forward(randn([2, h!, w!, 3])))).shape).toEqual([2, 8]);
    }
    dispose(base);
  });

  it("strides where it is told to: v1's first 1×1, or v1.5's 3×3", () => {
    const strides = (strideAt: 1 | 2) => {
      const block = new BottleneckResidualBlock(8, 4, 16, 2, { strideAt });
      return [block.conv1.stride, block.conv2.stride].map((stride) => [stride].flat()[0]);
    };
    expect(strides(1)).toEqual([2, 1]);
    expect(strides(2)).toEqual([1, 2]);
  });

  it("begins as the identity where the last gamma is 0", async () => {
    const block = new ResidualBlock(4, 4, 1, { zeroInitResidual: true });
    const x = tensor(
      Float32Array.from({ length: 32 }, (_, i) => i),
      [1, 2, 4, 4],
    );
    expect(await noGrad(() => scope(() => block.forward(x))).data()).toEqual(await x.data());
  });
});

describe("no shortcut", () => {
  it("leaves the plain stack of layers", async () => {
    const block = new ResidualBlock(4, 4, 1, { shortcut: "none" });
    const x = randn([1, 5, 5, 4]);
    const same = noGrad(() => scope(() => block.forward(x)));
    const plain = noGrad(() =>
      scope(() => {
        const inner = relu(block.bn1.forward(block.conv1.forward(x)));
        return relu(block.bn2.forward(block.conv2.forward(inner)));
      }),
    );
    expect(await same.data()).toEqual(await plain.data());
    expect([
      ...stateDict(new BottleneckResidualBlock(8, 4, 16, 2, { shortcut: "none" })).keys(),
    ]).not.toContain("shortcut.conv.weight");
    dispose(block);
  });
});

describe("the shortcut without parameters", () => {
  it("takes every second pixel, and pads channels with zeros on both sides or at the end", async () => {
    const x = tensor(
      Float32Array.from({ length: 18 }, (_, i) => i + 1),
      [1, 3, 3, 2],
    );
    const both = new ShortcutPadding(2, 5, 2, "pad-both").forward(x);
    const end = new ShortcutPadding(2, 5, 2, "pad-end").forward(x);
    expect(both.shape).toEqual([1, 2, 2, 5]);
    const pixels = [
      [1, 2],
      [5, 6],
      [13, 14],
      [17, 18],
    ];
    expect([...(await both.data())]).toEqual(pixels.flatMap(([a, b]) => [0, a, b, 0, 0]));
    expect([...(await end.data())]).toEqual(pixels.flatMap(([a, b]) => [a, b, 0, 0, 0]));
    expect(stateDict(new ResidualBlock(2, 4, 2, { shortcut: "pad-end" })).has("shortcut.conv.weight")).toBe(
      false,
    );
  });

  it.each(["pad-both", "pad-end"] as const)(
    "has the gradient of the pixels that %s takes, compiled too",
    async (where) => {
      const shortcut = new ShortcutPadding(2, 5, 2, where);
      const before = where === "pad-both" ? 1 : 0;
      const wave = (length: number, seed: number) =>
        Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i));
      const [pixels, weights] = [wave(18, 1), wave(20, 2)];
      const dy = tensor(weights, [1, 2, 2, 5]);
      const x = tensor(pixels, [1, 3, 3, 2], { requiresGrad: true });
      const f = (scale: Tensor) => {
        const y = shortcut.forward(x);
        backward(sum(mul(mul(y, dy), scale)));
        const dx = mul(x.grad!, 1);
        x.grad!.dispose();
        x.grad = undefined;
        return [mul(y, scale), dx];
      };
      const compiled = compile(f);
      const y = new Float32Array(20);
      const dx = new Float32Array(18);
      for (const [i, j] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        for (const c of [0, 1]) {
          const [at, to] = [(2 * i * 3 + 2 * j) * 2 + c, (2 * i + j) * 5 + before + c];
          y[to] = pixels[at]!;
          dx[at] = weights[to]!;
        }
      }
      for (const found of [
        scope(() => f(tensor([1]))),
        await compiled(tensor([1])),
        await compiled(tensor([1])),
      ]) {
        expect(await found[0]!.data()).toEqual(y);
        expect(await found[1]!.data()).toEqual(dx);
      }
      // The padding of the gradient: the forward one, of an x that stays, is launched once.
      expect(compiled.plan!.steps.filter(({ kernel }) => kernel === "pad")).toHaveLength(1);
      compiled.dispose();
    },
  );
});

describe("the zoo", () => {
  // torchvision's counts; of CIFAR's nets the paper's, from 0.08 to 1.7 million.
  it.each([
    ["resnet18", 11_689_512],
    ["resnet34", 21_797_672],
    ["resnet50", 25_557_032],
    ["resnet101", 44_549_160],
    ["resnet152", 60_192_808],
    ["wideResnet50", 68_883_240],
    ["resnext50", 25_028_904],
    ["resnet8", 75_290],
    ["resnet20", 269_722],
    ["resnet32", 464_154],
    ["resnet44", 658_586],
    ["resnet56", 853_018],
    ["resnet110", 1_727_962],
  ] as const)("%s has as many parameters as published", (name, parameters) => {
    const net = zoo[name]();
    expect(countParameters(net)).toBe(parameters);
    dispose(net);
  });
});

const MESSAGES: Record<string, string> = {
  "stages that differ in number": "ResNetBase: nBlocks has 2 stages, [2,2], but nChannels has 1, [8].",
  "bottlenecks for other stages": "ResNetBase: bottlenecks has 1 stages, [2], but nBlocks has 2, [1,1].",
  "no stage": "ResNetBase: nBlocks is empty; a net has at least one stage.",
  "no block": "ResNetBase: nBlocks has to be whole numbers ≥ 1, not 0, in [1,0].",
  "no channel": "ResNetBase: nChannels has to be whole numbers ≥ 1, not 0, in [4,0].",
  "half a channel": "ResNetBase: imgChannels has to be whole numbers ≥ 1, not 1.5, in 1.5.",
  "groups that do not divide": "ResNetBase: 6 bottleneck channels do not divide into 4 groups.",
  "a shortcut that would have to drop channels":
    "ShortcutPadding: 8 channels cannot be padded to 4; use the projection shortcut.",
};
