import { describe, expect, test } from "vitest";
import { quote } from "../../src/checkpoints/checkpoint-file.ts";
import { Digest } from "../../src/checkpoints/digest.ts";
import { findNet } from "../../src/checkpoints/find-net.ts";
import { isRecord, shown } from "../../src/checkpoints/json.ts";
import { modelOf, notedPreprocessing } from "../../src/checkpoints/model-of.ts";
import { Opaque } from "../../src/checkpoints/opaque.ts";
import { readPickle } from "../../src/checkpoints/pickle.ts";
import { storageId, TORCH_NAMES } from "../../src/checkpoints/torch-names.ts";
import { stateOf } from "../../src/checkpoints/torch-state.ts";
import { rebuildTensor } from "../../src/checkpoints/torch-tensor.ts";

test("a long name is quoted by its beginning", () => {
  expect(quote("a".repeat(80))).toBe(`"${"a".repeat(80)}"`);
  expect(quote("a".repeat(81))).toBe(`"${"a".repeat(80)}…"`);
});

test("a JSON value is shown by its beginning, one level deep", () => {
  expect(shown({ a: 1, b: [2], "c d": null })).toBe('{"a":1,"b":…,"c d":null}');
  expect(shown([1, "two", {}])).toBe('[1,"two",…]');
  expect(shown([1, 2, 3, 4, 5, 6, 7, 8])).toBe("[1,2,3,4,5,6,7,8]");
  expect(shown([1, 2, 3, 4, 5, 6, 7, 8, 9])).toBe("[1,2,3,4,5,6,7,8,…]");
  expect(shown("a".repeat(90))).toBe("a".repeat(80));
});

test("a digest does not depend on the order of tensors and notes, but on each of them", async () => {
  const of = async (names: readonly string[], notes: readonly (readonly [string, string])[], last = 0) => {
    const digest = new Digest();
    for (const name of names) {
      const bytes = Uint8Array.of(name.charCodeAt(0), last);
      await digest.add(name, { dtype: "u8", shape: [2], bytes } as never);
    }
    return digest.finish(notes);
  };
  const notes = ["x", "y", "z"].map((name) => [name, name] as const);
  const first = await of(["a", "b", "c"], notes);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(await of(["c", "a", "b"], [...notes].reverse())).toBe(first);
  expect(await of(["b", "c", "a"], [notes[1]!, notes[0]!, notes[2]!])).toBe(first);
  expect(await of(["a", "b"], notes)).not.toBe(first);
  expect(await of(["a", "b", "c"], notes.slice(1))).not.toBe(first);
  expect(await of(["a", "b", "c"], notes, 1)).not.toBe(first);
});

describe("a pickle", () => {
  const value = (text: string) =>
    readPickle(
      Uint8Array.from(text, (c) => c.charCodeAt(0)),
      0,
      { known: new Map(), persistent: () => 0 },
    ).value;

  test("of a dict whose items were marked before it", () => {
    expect(value("\x80\x02(K\x01K\x02K\x03K\x04d.")).toEqual(
      new Map([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(value("\x80\x02(d.")).toEqual(new Map());
  });

  test("of an empty dict, or of no dict, has no state, and says so", () => {
    expect(() => stateOf(5)).toThrow("there is no state dict in it, but the number 5. Expected");
    expect(() => stateOf(new Map())).toThrow(
      "there is no state dict in it, but a dict of 0 entries. Expected",
    );
    expect(() => stateOf(new Map([["a", 1]]))).toThrow('but a dict of 1 entries: the string "a". Expected');
  });
});

describe("the id of a storage", () => {
  const floats = TORCH_NAMES.get("torch.FloatStorage");
  test("has a type, a key and its elements", () => {
    expect(storageId(["storage", floats, "0", "cpu", 6])).toMatchObject({
      dtype: "f32",
      key: "0",
      elements: 6,
    });
    expect(storageId(["storage", floats, "0", "cpu", 0])).toMatchObject({ elements: 0 });
  });
  test.each([
    ["a key that is a number", ["storage", floats, 0, "cpu", 6]],
    ["no type", ["storage", undefined, "0", "cpu", 6]],
    ["another kind", ["tensor", floats, "0", "cpu", 6]],
    ["fewer than no elements", ["storage", floats, "0", "cpu", -1]],
    ["half an element", ["storage", floats, "0", "cpu", 0.5]],
    ["no list", "storage"],
  ])("with %s is refused", (_, id) => {
    expect(() => storageId(id)).toThrow("pickle: a persistent id is not that of a storage.");
  });
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

  test("tells its shortcut by a projection or by a note", () => {
    const blocks: Record<string, number[]> = {
      ...block,
      ...{ "layer2.0.conv1.weight": [32, 16, 3, 3], "layer2.0.conv2.weight": [32, 32, 3, 3] },
      "fc.weight": [10, 32],
    };
    const found = (more: Record<string, number[]>, note?: object) => {
      const tensors = new Map(
        Object.entries({ ...blocks, ...more }).map(([name, shape]) => [
          name,
          { shape, dtype: "f32" as const },
        ]),
      );
      const metadata = new Map(note ? [["resnet", JSON.stringify(note)]] : []);
      return modelOf({ tensors, layout: "torch", metadata } as never)!;
    };
    const projection = { "layer2.0.downsample.0.weight": [32, 16, 1, 1] };
    expect(found({}).hasKnownShortcut).toBe(false);
    expect(found({}, { stemStride: 1 }).hasKnownShortcut).toBe(false);
    expect(found({}, { shortcut: "pad-end" }).hasKnownShortcut).toBe(true);
    expect(found(projection).hasKnownShortcut).toBe(true);
    expect(found(projection).options.shortcut).toBe("projection");
    // Notes that cannot be are passed over.
    expect(found({}, { stemStride: 0, strideAt: 3, shortcut: "zigzag" }).options).toMatchObject({
      ...{ stemStride: 1, shortcut: "pad-both" },
    });
    expect(found({}, { stemStride: 2 }).options.stemStride).toBe(2);
  });
});
