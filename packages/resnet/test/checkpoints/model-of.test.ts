import { describe, expect, test } from "vitest";
import { modelOf, notedPreprocessing } from "../../src/checkpoints/model-of.ts";

type Shapes = Record<string, number[]>;

/** Shapes of the weights of a net, in PyTorch's layout. */
function shapesOf(
  blocks: readonly number[],
  channels: readonly number[],
  { bottlenecks, groups = 1, kernel = 3, classes = 10, images = 3 }: Shape = {},
): Shapes {
  const stem = bottlenecks ? 64 : channels[0]!;
  const shapes: Shapes = { "conv1.weight": [stem, images, kernel, kernel], "bn1.weight": [stem] };
  let before = stem;
  for (const [stage, out] of channels.entries())
    for (let block = 0; block < blocks[stage]!; block++) {
      const at = `layer${stage + 1}.${block}`;
      const inside = bottlenecks?.[stage];
      const convolutions = inside
        ? [
            [inside, before, 1, 1],
            [inside, inside / groups, 3, 3],
            [out, inside, 1, 1],
          ]
        : [
            [out, before, 3, 3],
            [out, out, 3, 3],
          ];
      for (const [i, shape] of convolutions.entries()) shapes[`${at}.conv${i + 1}.weight`] = shape;
      if (block === 0 && before !== out) shapes[`${at}.downsample.0.weight`] = [out, before, 1, 1];
      before = out;
    }
  if (classes) shapes["fc.weight"] = [classes, before];
  return shapes;
}

interface Shape {
  readonly bottlenecks?: readonly number[];
  readonly groups?: number;
  readonly kernel?: number;
  readonly classes?: number;
  readonly images?: number;
}

const found = (shapes: Shapes, notes: Record<string, unknown> = {}) =>
  modelOf({
    format: "safetensors",
    layout: "torch",
    tensors: new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "f32", shape }])),
    metadata: new Map(Object.entries(notes).map(([key, note]) => [key, JSON.stringify(note)])),
  });

const WIDE = [64, 128, 256, 512];
const WIDER = [256, 512, 1024, 2048];
const CIFAR = [16, 32, 64];

describe("a net of the zoo is called by its shapes", () => {
  test.each([
    ["resnet18", [2, 2, 2, 2]],
    ["resnet34", [3, 4, 6, 3]],
  ])("%s", (name, blocks) => {
    expect(found(shapesOf(blocks, WIDE, { kernel: 7, classes: 1000 }))?.name).toBe(name);
  });

  test.each([
    ["resnet50", [3, 4, 6, 3], WIDE, 1],
    ["resnet101", [3, 4, 23, 3], WIDE, 1],
    ["resnet152", [3, 8, 36, 3], WIDE, 1],
    ["wideResnet50", [3, 4, 6, 3], WIDE.map((width) => 2 * width), 1],
    ["resnext50", [3, 4, 6, 3], WIDE.map((width) => 2 * width), 32],
    [undefined, [3, 4, 6, 3], WIDE.map((width) => 2 * width), 16],
    [undefined, [3, 4, 6, 4], WIDE, 1],
  ])("%s", (name, blocks, bottlenecks, groups) => {
    const net = found(shapesOf(blocks, WIDER, { bottlenecks, groups, kernel: 7, classes: 1000 }))!;
    expect(net.name).toBe(name);
    expect(net.options).toMatchObject({
      bottlenecks,
      groups,
      strideAt: 2,
      nBlocks: blocks,
      nChannels: WIDER,
    });
  });

  test.each([
    ["resnet8", 1],
    ["resnet20", 3],
    ["resnet32", 5],
    ["resnet44", 7],
    ["resnet56", 9],
    ["resnet110", 18],
    [undefined, 2],
  ])("%s", (name, blocks) => {
    expect(found(shapesOf([blocks, blocks, blocks], CIFAR))?.name).toBe(name);
  });
});

describe("options that follow from shapes", () => {
  test("stride and pooling of the stem, by its window", () => {
    const of = (kernel: number) => found(shapesOf([1, 1], [8, 16], { kernel }))!.options;
    expect(of(5)).toMatchObject({ firstKernelSize: 5, stemStride: 1, stemPool: false, stemRelu: true });
    expect(of(7)).toMatchObject({ firstKernelSize: 7, stemStride: 2, stemPool: true, stemRelu: true });
  });

  test("classes, and whether there is a head", () => {
    const of = (shape: Shape) => {
      const net = found(shapesOf([1, 1], [8, 16], shape))!;
      return [net.hasHead, net.options.classes];
    };
    expect(of({ classes: 5 })).toEqual([true, 5]);
    expect(of({ classes: 0 })).toEqual([false, 10]);
    expect(of({ classes: 0, kernel: 7 })).toEqual([false, 1000]);
  });

  test("bias, stem and channels of the images", () => {
    const shapes = shapesOf([1], [8], { images: 1 });
    expect(found(shapes)!.options).toMatchObject({ bias: false, stemChannels: 8, imgChannels: 1 });
    expect(found({ ...shapes, "layer1.0.conv1.bias": [8] })!.options.bias).toBe(true);
    expect(found(shapes)!.options).not.toHaveProperty("bottlenecks");
  });

  test("preprocessing of the usual ImageNet weights alone", () => {
    const of = (shape: Shape, notes = {}) =>
      found(shapesOf([1], [8], { kernel: 7, classes: 1000, ...shape }), notes)!.preprocessing;
    expect(of({})).toMatchObject({ channels: "rgb", range: 1 });
    for (const other of [{ classes: 999 }, { kernel: 5 }, { images: 1 }]) expect(of(other)).toBeUndefined();
    const grey = { channels: "grey", range: 255, mean: [1], std: [2] };
    expect(of({}, { preprocessing: grey })).toEqual(grey);
  });

  test("nets in Keras' layout, of Caffe's preprocessing", () => {
    const tensors = {
      "conv1/kernel": [7, 7, 3, 8],
      "res2a_branch2a/kernel": [1, 1, 8, 4],
      "res2a_branch2b/kernel": [3, 3, 4, 4],
      "res2a_branch2c/kernel": [1, 1, 4, 16],
      "fc1000/kernel": [16, 1000],
    };
    const net = modelOf({
      format: "TensorFlow.js",
      layout: "engine",
      tensors: new Map(Object.entries(tensors).map(([name, shape]) => [name, { dtype: "f32", shape }])),
      metadata: new Map(),
    })!;
    expect(net.options).toMatchObject({
      ...{ nBlocks: [1], nChannels: [16], bottlenecks: [4], groups: 1, strideAt: 1 },
      ...{ imgChannels: 3, firstKernelSize: 7, stemChannels: 8, classes: 1000 },
    });
    expect(net.preprocessing).toEqual({
      ...{ channels: "bgr", range: 255 },
      ...{ mean: [103.939, 116.779, 123.68], std: [1, 1, 1] },
    });
  });
});

describe("options that are noted", () => {
  const shapes = shapesOf([1, 1], [8, 16]);
  test.each([
    { shortcut: "projection" },
    { shortcut: "pad-both" },
    { shortcut: "pad-end" },
    { shortcut: "none" },
    { strideAt: 1 },
    { strideAt: 2 },
    { stemStride: 3 },
    { stemRelu: false },
    { stemPool: true },
  ])("%j", (note) => {
    expect(found(shapes, { resnet: note })!.options).toMatchObject(note);
  });

  test("those that cannot be are left out", () => {
    const usual = found(shapes)!.options;
    const wrong = {
      strideAt: "1",
      stemStride: 1.5,
      stemRelu: 1,
      stemPool: "no",
      shortcut: 5,
      nBlocks: [9],
      x: 1,
    };
    for (const note of [wrong, { stemStride: 0 }, { stemStride: -1 }, { strideAt: 0 }, [], "x"])
      expect(found(shapes, { resnet: note })!.options).toEqual(usual);
  });

  test("preprocessing that cannot be", () => {
    const rgb = { channels: "rgb", range: 255, mean: [1, 2, 3], std: [1, 1, 1] };
    expect(notedPreprocessing(JSON.stringify(rgb))).toEqual(rgb);
    for (const wrong of [
      { mean: [1, 2, 3, 4] },
      { mean: [1, 2] },
      { std: ["1", 1, 1] },
      { range: "1" },
      { range: 0 },
    ])
      expect(notedPreprocessing(JSON.stringify({ ...rgb, ...wrong }))).toBeUndefined();
    for (const json of [undefined, "null", "5", "{", "[]"]) expect(notedPreprocessing(json)).toBeUndefined();
  });
});

describe("no net", () => {
  test("without a stem, stages, or channels", () => {
    const shapes = { ...shapesOf([1, 1], [8, 16]), "bn1.bias": [8], "bn1.running_mean": [8] };
    expect(found(shapes)).toBeDefined();
    const without = (name: string) =>
      Object.fromEntries(Object.entries(shapes).filter(([key]) => key !== name));
    expect(found(without("conv1.weight"))).toBeUndefined();
    expect(found(without("layer1.0.conv1.weight"))).toBeUndefined();
    expect(found(without("layer1.0.conv2.weight"))).toBeUndefined();
    expect(found({ ...shapes, "conv1.weight": [0, 3, 3, 3] })).toBeUndefined();
    expect(found({ ...shapes, "conv1.weight": [8, 0, 3, 3] })).toBeUndefined();
    expect(found({ ...shapes, "conv1.weight": [8, 3] })).toBeUndefined();
    // A second stage that is none ends the net.
    expect(found(without("layer2.0.conv2.weight"))?.options.nBlocks).toEqual([1]);
  });

  test("with groups that do not divide its channels", () => {
    const bottleneck = (channels: number) => ({
      ...shapesOf([1], [16], { bottlenecks: [8] }),
      "layer1.0.conv2.weight": [8, channels, 3, 3],
    });
    expect(found(bottleneck(4))?.options.groups).toBe(2);
    expect(found(bottleneck(3))).toBeUndefined();
    expect(found(bottleneck(0))?.options.groups).toBe(8);
  });

  test("of more blocks than was ever published", () => {
    const deep = (blocks: number) => found(shapesOf([blocks - 1, 1], [1, 1]));
    expect(deep(1024)?.options.nBlocks).toEqual([1023, 1]);
    expect(deep(1025)).toBeUndefined();
  });

  test("that has more than twice the numbers of its file", () => {
    // A net of 9·8·(3 + 8 + 8) + 10·8 numbers, of which some are not in the file.
    const net = shapesOf([1], [8]);
    const numbers = Object.values(net).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0) - 8;
    expect(numbers).toBe(1448);
    const { "bn1.weight": _, ...weights } = net;
    const stored = (count: number): Shapes => ({
      ...weights,
      "layer1.0.conv1.weight": [8, 0, 3, 3],
      "layer1.0.conv2.weight": [8, 0, 3, 3],
      "bn1.weight": [count - 216 - 80],
    });
    expect(found(stored(numbers / 2))).toBeDefined();
    expect(found(stored(numbers / 2 - 1))).toBeUndefined();
    // Without a head, its numbers do not count.
    const { "fc.weight": __, ...headless } = stored(numbers / 2 - 40 + 80);
    expect(found(headless)).toBeDefined();
    expect(found({ ...headless, "bn1.weight": [headless["bn1.weight"]![0]! - 1] })).toBeUndefined();
  });

  test("of bottlenecks that has more than twice the numbers of its file", () => {
    const numbers = 64 * 27 + 64 * 32 + (32 * 32 * 9) / 2 + 32 * 64;
    const stored = (count: number) => ({
      "conv1.weight": [64, 3, 3, 3],
      "layer1.0.conv1.weight": [32, 64, 1, 0],
      "layer1.0.conv2.weight": [32, 16, 3, 0],
      "layer1.0.conv3.weight": [64, 32, 1, 0],
      "bn1.weight": [count - 64 * 27],
    });
    expect(found(stored(numbers / 2))?.options.groups).toBe(2);
    expect(found(stored(numbers / 2 - 1))).toBeUndefined();
  });
});
