import { init } from "@shadegrad/tensor";
import { Linear } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { beforeAll, describe, expect, it } from "vitest";
import { ImageSet } from "../../src/index.ts";
import { preprocessingOf, settingsOf, type TrainOptions, withDefaults } from "../../src/training/options.ts";
import { differencesOf, resumeSettingsOf } from "../../src/training/resume-settings.ts";
import { colours } from "./small.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

const data = colours(20);
const optionsWith = (more: Partial<TrainOptions> = {}) => {
  const model = new Linear(2, 3);
  const optimizer = new SGD(model, { lr: 0.5, momentum: 0.25 });
  return withDefaults({ model, optimizer, data, epochs: 2, ...more } as TrainOptions);
};
const images = (C: number, normalization: ImageSet["normalization"]) =>
  new ImageSet({
    images: new Uint8Array(2 * C),
    labels: Uint8Array.of(0, 1),
    shape: [1, 1, C],
    classes: ["a", "b"],
    normalization,
  });

describe("settings on which weights depend", () => {
  const USUAL = {
    ...{ images: 20, shape: "8 × 8 × 3", classes: 3, pixels: expect.stringMatching(/^[0-9a-f]{8}$/) },
    ...{ seed: 0, batchSize: 128, labelSmoothing: 0, augment: "none", crop: "none" },
    normalization: "mean 0.35,0.35,0.35, std 0.2,0.2,0.2",
    ...{ optimizer: "SGD", "optimizer.lr": "0.5", "optimizer.momentum": "0.25" },
  };

  it("are noted without those that are as usual", async () => {
    const found = await resumeSettingsOf(optionsWith(), data);
    expect(found).toMatchObject(USUAL);
    for (const name of ["rateFactors", "lookahead", "onDevice", "compile", "precision"])
      expect(Object.keys(found)).not.toContain(name);
  });

  it.each([
    ["compile", { compile: false }, { compile: false }],
    ["onDevice", { onDevice: true }, { onDevice: true }],
    ["precision", { precision: "f16" as const }, { precision: "f16" }],
    ["rateFactors", { rateFactors: [1, 0.5] }, { rateFactors: "1,0.5" }],
    ["lookahead", { lookahead: { every: 3, decay: () => 0.5 } }, { lookahead: "every 3" }],
    ["schedule", { schedule: () => 0.1 }, { "optimizer.lr": "by a schedule" }],
    ["crop", { crop: 4 }, { crop: "4 from the centre" }],
    ["crop at random", { crop: 4, augment: {} }, { crop: "4 at random", augment: "none" }],
    [
      "augment",
      { augment: { pad: 2, flip: true, edge: "reflect" as const } },
      { augment: "pad 2 reflect, flip" },
    ],
    ["flip", { augment: { flip: "alternate" as const } }, { augment: "flip alternate" }],
    ["normalization", { normalization: false as const }, { normalization: "none" }],
  ])("with %s", async (_, more, noted) => {
    expect(await resumeSettingsOf(optionsWith(more as Partial<TrainOptions>), data)).toMatchObject({
      ...USUAL,
      ...noted,
    });
  });

  it("have the options of each group of parameters, those of the first without its number", async () => {
    const model = new Linear(2, 3);
    const groups = [
      { params: [model.weight], lr: 0.5 },
      { params: [model.bias!], lr: 0.25 },
    ];
    const optimizer = new SGD(groups, { lr: 1, momentum: 0.25 });
    const options = { model, optimizer } as unknown as Partial<TrainOptions>;
    expect(await resumeSettingsOf(optionsWith(options), data)).toMatchObject({
      ...{ "optimizer.lr": "0.5", "optimizer.1.lr": "0.25", "optimizer.1.momentum": "0.25" },
    });
  });

  it("have a checksum of pixels and labels, unless the data set varies them", async () => {
    const checksum = async (data: TrainOptions["data"]) =>
      (await resumeSettingsOf(optionsWith(), data as ImageSet)).pixels;
    const other = colours(20);
    other.labels[0] = (other.labels[0]! + 1) % 3;
    expect(await checksum(colours(20))).toBe(await checksum(data));
    expect(await checksum(other)).not.toBe(await checksum(data));
    // The checksum is of images all over the set.
    const [many, late] = [colours(40), colours(40)];
    late.labels[37] = (late.labels[37]! + 1) % 3;
    expect(await checksum(late)).not.toBe(await checksum(many));
    let reads = 0;
    const varying = { ...data, length: data.length, shape: data.shape, classes: data.classes };
    const read = async () => ({ image: Uint8Array.of(reads++), label: 0 });
    expect(await checksum({ ...varying, read } as unknown as ImageSet)).toBe("varying");
  });
});

it("rates differ by more than the rounding of a cosine, at the first step where they do", () => {
  const resumeSettings = { seed: 1 };
  const rates = [0.1, 0.2, 0.3];
  const differences = (schedule: (step: number) => number) =>
    differencesOf({ resumeSettings, rates }, { resumeSettings, schedule });
  expect(differences((step) => rates[step]! * (1 + 1e-13))).toEqual([]);
  expect(differences((step) => rates[step]! * (1 + 1e-9 * step))).toEqual([
    { name: "rate of step 2", saved: 0.2, given: 0.2 * (1 + 1e-9) },
  ]);
});

it("settings are noted with the optimizer's, and without a precision of f32", () => {
  const options = optionsWith({ settings: { model: "linear" }, augment: { pad: 1 } });
  const found = settingsOf(options, data);
  expect(found).toMatchObject({
    ...{ model: "linear", parameters: 9, images: 20, epochs: 2, batchSize: 128, seed: 0, labelSmoothing: 0 },
    ...{ optimizer: "SGD", lr: "0.5", momentum: "0.25", augment: '{"pad":1}' },
  });
  expect(found).not.toHaveProperty("precision");
  expect(found).not.toHaveProperty("steps");
  expect(settingsOf(optionsWith({ precision: "f16" }), data)).toHaveProperty("precision", "f16");
  const inSteps = settingsOf(optionsWith({ epochs: undefined, steps: 7 } as Partial<TrainOptions>), data);
  expect(inSteps).toHaveProperty("steps", 7);
  expect(inSteps).not.toHaveProperty("epochs");
});

describe("the preprocessing that a trained net expects", () => {
  it.each([
    ["of the data", images(3, { mean: [1, 2, 3], std: [4, 5, 6] }), {}, "rgb", [1, 2, 3], [4, 5, 6]],
    [
      "of the options",
      data,
      { normalization: { mean: [1, 1, 1], std: [2, 2, 2] } },
      "rgb",
      [1, 1, 1],
      [2, 2, 2],
    ],
    ["of neither", images(3, undefined), {}, "rgb", [0, 0, 0], [1, 1, 1]],
    ["of grey images", images(1, undefined), {}, "grey", [0], [1]],
    ["switched off", data, { normalization: false as const }, "rgb", [0, 0, 0], [1, 1, 1]],
  ])("is the normalization %s", (_, data, more, channels, mean, std) => {
    const options = optionsWith({ data, ...more } as Partial<TrainOptions>);
    expect(preprocessingOf(options, data)).toEqual({ channels, range: 1, mean, std });
  });

  it("is none for images of two channels", () => {
    expect(preprocessingOf(optionsWith(), images(2, undefined))).toBeUndefined();
  });
});
