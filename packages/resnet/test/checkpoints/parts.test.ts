import { describe, expect, test } from "vitest";
import { quote } from "../../src/checkpoints/checkpoint-file.ts";
import { findNet } from "../../src/checkpoints/find-net.ts";
import { isRecord } from "../../src/checkpoints/json.ts";
import { modelOf, notedPreprocessing } from "../../src/checkpoints/model-of.ts";
import { Opaque } from "../../src/checkpoints/opaque.ts";
import { stateOf } from "../../src/checkpoints/torch-state.ts";
import { rebuildTensor } from "../../src/checkpoints/torch-tensor.ts";

test("a long name is quoted by its beginning", () => {
  expect(quote("a".repeat(80))).toBe(`"${"a".repeat(80)}"`);
  expect(quote("a".repeat(81))).toBe(`"${"a".repeat(80)}…"`);
});

test("a record is an object with names", () => {
  expect([{}, { a: 1 }].every(isRecord)).toBe(true);
  expect([null, undefined, [], "a", 1].some(isRecord)).toBe(false);
});

describe("noted preprocessing", () => {
  const rgb = { channels: "rgb", range: 1, mean: [0.1, 0.2, 0.3], std: [1, 1, 1] };
  const grey = { channels: "grey", range: 255, mean: [0.5], std: [2] };
  const noted = (value: unknown) => notedPreprocessing(JSON.stringify(value));

  test("is of three channels or one", () => {
    expect(noted(rgb)).toEqual(rgb);
    expect(noted({ ...rgb, channels: "bgr" })).toEqual({ ...rgb, channels: "bgr" });
    expect(noted(grey)).toEqual(grey);
  });
  test.each([
    { ...rgb, mean: [0.5] },
    { ...grey, mean: rgb.mean },
    { ...grey, std: rgb.std },
    { ...rgb, channels: "cmyk" },
    { ...rgb, range: 2 },
    { ...rgb, std: [1, 1, null] },
    { ...rgb, mean: "0.1" },
  ])("is left out where it does not fit: %j", (value) => {
    expect(noted(value)).toBeUndefined();
  });
});

describe("numbers of a tensor in a pickle", () => {
  const storage = {
    key: "0",
    dtype: "f32" as const,
    elements: 6,
    position: () => 0,
    read: async () => new Uint8Array(24),
  };
  const axes = (count: number) => Array.from({ length: count }, () => 1);

  test("are tuples of whole numbers of some axes", () => {
    expect(rebuildTensor(storage, 0, axes(3), axes(3)).shape).toEqual([1, 1, 1]);
    expect(() => rebuildTensor(storage, 0, 6, [1])).toThrow("pickle: a shape is the number 6, not a tuple");
    expect(() => rebuildTensor(storage, 0, axes(70), axes(70))).toThrow("a shape has 70 axes, more than");
    expect(() => rebuildTensor(storage, 0, [1], axes(70))).toThrow("strides has 70 axes, more than");
    expect(() => rebuildTensor(storage, 0, [-1], [1])).toThrow(
      "a shape has the number -1 where a whole number ≥ 0 belongs",
    );
    expect(() => rebuildTensor(storage, 0, [1], [0.5])).toThrow(
      "strides has the number 0.5 where a whole number",
    );
    expect(() => rebuildTensor(storage, -1, [1], [1])).toThrow("an offset has the number -1 where");
    expect(() => rebuildTensor(storage, 0, [1], [1, 1])).toThrow("of another number of axes");
  });

  test("come from a module that was saved whole, by the names of its parts", () => {
    const tensor = () => rebuildTensor(storage, 0, [2, 3], [3, 1]);
    const module = (parameters: object, buffers: object, modules: object) => {
      const parts = { _parameters: parameters, _buffers: buffers, _modules: modules };
      const attributes = new Map(
        Object.entries(parts).map(([name, items]) => [name, new Map(Object.entries(items))]),
      );
      const found = new Opaque("torch.nn.Module");
      found.items.set("", attributes);
      return found;
    };
    const inner = module({ weight: tensor(), bias: null }, { running_mean: tensor() }, {});
    const { tensors } = stateOf(module({ scale: tensor() }, {}, { bn: inner, again: inner }));
    expect([...tensors.keys()].sort()).toEqual(["again.running_mean", "again.weight", "scale"]);
  });
});

describe("a net among tensors", () => {
  const shaped = (shapes: Record<string, number[]>) =>
    new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
  const stem = {
    "conv1.weight": [16, 3, 3, 3],
    "layer1.0.conv1.weight": [16, 16, 3, 3],
    "layer1.0.conv2.weight": [16, 16, 3, 3],
  };
  const block = { ...stem, "bn1.weight": [16] };

  test("has a name that tells it and three others at least", () => {
    expect(findNet(shaped(block), "torch")?.names.size).toBe(4);
    expect(findNet(shaped(stem), "torch")).toBeUndefined();
    const { "conv1.weight": _, "layer1.0.conv1.weight": __, ...others } = block;
    const many = { ...others, "layer1.0.bn1.weight": [16], "layer1.0.bn1.bias": [16], "bn1.bias": [16] };
    expect(findNet(shaped(many), "torch")).toBeUndefined();
  });

  test("has a head that takes its features, a matrix", () => {
    const head = (shape: number[], name = "fc.weight") =>
      findNet(shaped({ ...block, [name]: shape }), "torch")?.head;
    expect(head([10, 16])).toBe("fc");
    expect(head([10, 16], "classifier.weight")).toBe("classifier");
    expect(head([10, 8], "classifier.weight")).toBeUndefined();
    expect(head([10, 16, 1], "classifier.weight")).toBeUndefined();
  });

  test("is called by its blocks", () => {
    const blocks = (counts: number[], convolutions: number) =>
      counts.flatMap((count, stage) =>
        Array.from({ length: count }, (_, i) =>
          Array.from({ length: convolutions }, (_, k) => `layer${stage + 1}.${i}.conv${k + 1}.weight`),
        ).flat(),
      );
    const nameOf = (counts: number[]) => {
      const shapes: Record<string, number[]> = { "conv1.weight": [64, 3, 7, 7], "fc.weight": [1000, 512] };
      for (const name of blocks(counts, 2)) {
        const channels = 64 << (Number(name[5]) - 1);
        shapes[name] = [
          channels,
          name.includes(".0.conv1") && name[5] !== "1" ? channels / 2 : channels,
          3,
          3,
        ];
      }
      const tensors = new Map(
        Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: "f32" as const }]),
      );
      return modelOf({ tensors, layout: "torch", metadata: new Map() } as never)?.name;
    };
    expect(nameOf([2, 2, 2, 2])).toBe("resnet18");
    expect(nameOf([3, 4, 6, 3])).toBe("resnet34");
    expect(nameOf([3, 4, 6, 2])).toBeUndefined();
  });
});
