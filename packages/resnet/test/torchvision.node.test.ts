import { init, noGrad, scope, tensor } from "@shadegrad/tensor";
import { dispose, evaluate, loadStateDict } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, it } from "vitest";
import { relativeError } from "../../tensor/test/compare.ts";
import { zoo } from "../src/index.ts";
import { fixturesOf, loadFixture } from "./fixture.ts";
import { fnv1a32, mulberry32, recipeImages, recipeState, recipeWeight } from "./recipe.ts";

const builders: Record<string, keyof typeof zoo> = {
  wide_resnet50_2: "wideResnet50",
  resnext50_32x4d: "resnext50",
};

beforeAll(async () => {
  await init();
});

it("follows the recipe for weights and images", () => {
  expect(["", "a", "conv1.weight", "fc.bias", "input"].map(fnv1a32)).toEqual([
    2166136261, 3826002220, 3184444564, 915095429, 4191711099,
  ]);
  const next = mulberry32(1);
  expect([next(), next()].map((u) => u * 2 ** 32)).toEqual([2693262067, 11749833]);
  expect(recipeWeight("conv1.weight", [64, 3, 7, 7], 2015)[0]).toBeCloseTo(-0.04039837, 8);
  expect(recipeWeight("bn1.running_var", [64], 2015)[1]).toBeCloseTo(0.57656705, 7);
  expect(recipeImages(2015, [2, 224, 224, 3])[1]).toBeCloseTo(-0.096042939, 7);
});

describe("torchvision's logits", { timeout: 300_000 }, () => {
  it.each(fixturesOf("torchvision"))("$file", async ({ file }) => {
    const { attrs, tensors } = await loadFixture(file);
    const { arch, seed, input_shape: shape } = attrs as { arch: string; seed: number; input_shape: number[] };
    const net = evaluate(zoo[builders[arch] ?? (arch as keyof typeof zoo)]());
    loadStateDict(net, recipeState(net, seed), { layout: "torch" });
    const images = tensor(recipeImages(seed, shape), shape);
    const logits = noGrad(() => scope(() => net.forward(images)));
    const [found, expected] = [await logits.data(), tensors.get("logits")!.data];
    dispose(net);
    images.dispose();
    logits.device.trim();

    const difference = (y: ArrayLike<number>) =>
      Float64Array.from({ length: 1000 }, (_, i) => y[i]! - y[1000 + i]!);
    expect(relativeError(found, expected)).toBeLessThanOrEqual(1e-4);
    // The two images' logits are much alike: what tells them apart has to be right too.
    expect(relativeError(difference(found), difference(expected))).toBeLessThanOrEqual(2e-3);
  });
});
