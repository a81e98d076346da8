import { describe, expect, test } from "vitest";
import { fileName, findNet, isAverage, namesFoundAndSought } from "../../src/checkpoints/find-net.ts";
import { matchNames } from "../../src/checkpoints/match-names.ts";
import { NAMINGS, type Spot } from "../../src/checkpoints/naming.ts";

const shaped = (shapes: Record<string, number[]>) =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: "f32" as const, shape }]));

const NET: Record<string, number[]> = {
  "conv1.weight": [16, 3, 3, 3],
  "bn1.weight": [16],
  "layer1.0.conv1.weight": [16, 16, 3, 3],
  "layer1.0.conv2.weight": [8, 16, 3, 3],
};

const prefixed = (prefix: string, shapes: Record<string, number[]> = NET) =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [prefix + name, shape]));

describe("a library's names", () => {
  const spots = (fields: readonly string[], layer: Spot["layer"]): Spot[] =>
    fields.flatMap((field) => [
      { part: "stem" as const, layer, stage: 0, block: 0, index: 0, field },
      ...[1, 4].flatMap((stage) =>
        [0, 1, 25].flatMap((block) => [
          { part: "shortcut" as const, layer, stage, block, index: 0, field },
          ...[1, 3].map((index) => ({ part: "block" as const, layer, stage, block, index, field })),
        ]),
      ),
    ]);
  const all = [
    ...spots(["weight", "bias"], "conv"),
    ...spots(["weight", "bias", "running_mean", "running_var"], "bn"),
  ];

  test.each(NAMINGS)("of $title are read as they are written", (naming) => {
    const names = new Set(all.map((spot) => naming.format(spot)!));
    expect(names.size).toBe(all.length);
    for (const spot of all) {
      const name = naming.format(spot)!;
      const prefixes = naming.isKeras ? ["", "model/", "a.b/"] : ["", "module.", "a.b."];
      for (const prefix of prefixes) expect(naming.parse(prefix + name)).toEqual({ prefix, spot });
      for (const other of [`x${name}`, `${name}x`, `${name}/x`, name.replace(/[./][^./]*$/, "")])
        expect(naming.parse(other)?.spot, other).not.toEqual(spot);
    }
  });

  test("have a batch norm's counter in PyTorch, none in Keras", () => {
    const counter = {
      part: "stem",
      layer: "bn",
      stage: 0,
      block: 0,
      index: 0,
      field: "num_batches_tracked",
    } as const;
    expect(NAMINGS.map((naming) => naming.format(counter))).toEqual([
      "bn1.num_batches_tracked",
      "bn1.num_batches_tracked",
      "embedder.embedder.normalization.num_batches_tracked",
      undefined,
      undefined,
    ]);
  });

  test("of a head's layer", () => {
    const [torch, keras] = [NAMINGS[0]!, NAMINGS[3]!];
    expect([torch.headField("a.fc", "weight"), torch.headField("fc", "bias")]).toEqual([
      "a.fc.weight",
      "fc.bias",
    ]);
    expect([keras.headField("fc", "weight"), keras.headField("fc", "bias")]).toEqual([
      "fc/kernel",
      "fc/bias",
    ]);
    expect([
      torch.headLayer("a.fc.weight"),
      torch.headLayer("fc.bias"),
      torch.headLayer("fc/kernel"),
    ]).toEqual(["a.fc", undefined, undefined]);
    expect([keras.headLayer("a/fc/kernel"), keras.headLayer("fc.weight")]).toEqual(["a/fc", undefined]);
  });

  test("have numbers of at most four digits", () => {
    expect(NAMINGS[0]!.parse("layer1.9999.conv1.weight")?.spot.block).toBe(9999);
    expect(NAMINGS[0]!.parse("layer1.10000.conv1.weight")?.spot.part).toBe("stem");
  });
});

describe("a net among a file's tensors", () => {
  test("is none among more tensors, or under longer names, than any has", () => {
    const many = (count: number) => {
      const tensors = shaped(NET);
      for (let i = tensors.size; i < count; i++) tensors.set(`x${i}`, { dtype: "f32", shape: [1] });
      return tensors;
    };
    expect(findNet(many(20_000), "torch")?.names.size).toBe(4);
    expect(findNet(many(20_001), "torch")).toBeUndefined();
    const longest = Math.max(...Object.keys(NET).map((name) => name.length));
    const under = (length: number) => findNet(shaped(prefixed(`${"p".repeat(length - 1)}.`)), "torch");
    expect(under(300 - longest)?.names.size).toBe(4);
    expect(under(301 - longest)).toBeUndefined();
  });

  test("is the one with the most tensors, of equals the first that is no average", () => {
    const found = (...nets: Record<string, number[]>[]) =>
      findNet(shaped(Object.assign({}, ...nets)), "torch")?.prefix;
    expect(found(prefixed("a."), prefixed("b."))).toBe("a.");
    expect(found(prefixed("a."), prefixed("b.", { ...NET, "bn1.bias": [16] }))).toBe("b.");
    expect(found(prefixed("ema."), prefixed("b."))).toBe("b.");
    expect(found(prefixed("b."), prefixed("ema."))).toBe("b.");
    expect(found(prefixed("b."), prefixed("ema.", { ...NET, "bn1.bias": [16] }))).toBe("ema.");
    expect(["model_ema.", "averaged.", "Shadow.", "teacher."].every(isAverage)).toBe(true);
    expect(isAverage("model.")).toBe(false);
  });

  test("has the names that stand among its own, but those of a net within", () => {
    const net = findNet(shaped({ ...NET, "aux.weight": [1], ...prefixed("teacher.") }), "torch")!;
    expect(net.others).toEqual(["aux.weight"]);
    const inside = findNet(shaped({ ...prefixed("m."), "m.aux": [1], "other.aux": [1] }), "torch")!;
    expect(inside.others).toEqual(["m.aux"]);
  });

  test("has a head by its name, else the last matrix that takes its features", () => {
    const head = (matrices: Record<string, number[]>, prefix = "") => {
      const net = findNet(shaped({ ...prefixed(prefix), ...matrices }), "torch")!;
      return [net.head, net.names.get("fc.weight"), net.names.get("fc.bias")];
    };
    expect(head({ "fc.weight": [5, 8], "fc.bias": [5] })).toEqual(["fc", "fc.weight", "fc.bias"]);
    expect(head({ "z.weight": [5, 8] })).toEqual(["z", "z.weight", undefined]);
    expect(head({ "y.weight": [5, 8], "z.weight": [5, 8] })[0]).toBe("z");
    for (const name of [
      "linear",
      "head",
      "classifier",
      "classifier.1",
      "head.fc",
      "fc1000",
      "last_linear",
      "output",
    ])
      expect(head({ [`${name}.weight`]: [5, 8], "z.weight": [5, 8] })[0]).toBe(name);
    expect(head({ "overhead.weight": [5, 8], "z.weight": [5, 8] })[0]).toBe("z");
    expect(head({ "fc.weight": [8, 5], "fc.bias": [8] })).toEqual([undefined, undefined, undefined]);
    // One beside the net counts before one elsewhere.
    expect(head({ "fc.weight": [5, 8], "m.z.weight": [5, 8] }, "m.")[0]).toBe("m.z");
    expect(head({ "fc.weight": [5, 8], "m.z.weight": [5, 7] }, "m.")[0]).toBe("fc");
  });

  test("gives its features by its last stage, of two convolutions or three", () => {
    const features = (shapes: Record<string, number[]>) =>
      [4, 8, 32, 64].filter(
        (count) => findNet(shaped({ ...NET, ...shapes, "z.weight": [5, count] }), "torch")!.head,
      );
    expect(features({})).toEqual([8]);
    expect(features({ "layer1.0.conv3.weight": [32, 8, 1, 1] })).toEqual([32]);
    const second = { "layer2.0.conv1.weight": [4, 8, 3, 3], "layer2.0.conv2.weight": [64, 4, 3, 3] };
    expect(features(second)).toEqual([64]);
    expect(
      features({ "layer3.0.conv1.weight": [4, 8, 3, 3], "layer3.0.conv2.weight": [64, 4, 3, 3] }),
    ).toEqual([8]);
  });

  test("is named in its file's terms, also where the file lacks a tensor", () => {
    const net = findNet(shaped(prefixed("m.")), "torch")!;
    expect(fileName(net, "conv1.weight")).toBe("m.conv1.weight");
    expect(fileName(net, "layer2.1.bn2.running_var")).toBe("m.layer2.1.bn2.running_var");
    expect(fileName(net, "fc.bias")).toBe("m.fc.bias");
    const headed = findNet(shaped({ ...prefixed("m."), "linear.weight": [5, 8] }), "torch")!;
    expect(fileName(headed, "fc.bias")).toBe("linear.bias");
    const keras = {
      "conv1/kernel": [3, 3, 3, 16],
      "bn_conv1/gamma": [16],
      "res2a_branch2a/kernel": [3, 3, 16, 16],
      "res2a_branch2b/kernel": [3, 3, 16, 8],
    };
    const found = findNet(shaped(keras), "engine")!;
    expect(fileName(found, "layer1.1.bn2.running_var")).toBe("bn2b_branch2b/moving_variance");
    expect(fileName(found, "layer2.0.downsample.0.weight")).toBe("res3a_branch1/kernel");
    expect(fileName(found, "bn1.num_batches_tracked")).toBeUndefined();
    expect(fileName(found, "fc.weight")).toBe("fc/kernel");
  });

  test("that is none is told by six of the file's names", () => {
    const of = (count: number) =>
      namesFoundAndSought(new Map(Array.from({ length: count }, (_, i) => [`t${i}`, 0])));
    expect(of(0)).toMatch(/^It has 0 tensors\. Looked for conv1\.weight \(torchvision\), /);
    expect(of(6)).toMatch(/^It has 6 tensors, "t0", "t1", "t2", "t3", "t4", "t5"\. Looked/);
    expect(of(7)).toMatch(/^It has 7 tensors, "t0", "t1", "t2", "t3", "t4", "t5", …\. Looked/);
  });
});

describe("another model's tensors", () => {
  const match = (names: string[], file: string[]) =>
    matchNames(
      {},
      names,
      { layout: "torch", tensors: shaped(Object.fromEntries(file.map((name) => [name, [1]]))) },
      true,
    );

  test("are found under the prefix that most of them have", () => {
    const found = match(["a", "b.c"], ["x.a", "y.a", "y.b.c", "y.d", "z"]);
    expect([found.found, found.names]).toEqual([2, ["y.a", "y.b.c", "y.d"]]);
    expect([found.nameOf("a"), found.nameOf("b.c"), found.nameOf("d")]).toEqual(["y.a", "y.b.c", undefined]);
  });

  test("are found under their own names before a prefix", () => {
    const found = match(["a"], ["a", "x.a"]);
    expect([found.found, found.nameOf("a")]).toEqual([1, "a"]);
    expect(match(["a"], ["b"])).toMatchObject({ found: 0, names: ["b"] });
  });

  test("are found with and without wrappers of their own", () => {
    expect(match(["module.a", "b"], ["a", "b"]).nameOf("module.a")).toBe("a");
    const wrapped = match(["module.a", "b"], ["x.module.a", "x.b"]);
    expect([wrapped.found, wrapped.nameOf("module.a")]).toEqual([2, "x.module.a"]);
  });

  test("are not looked for deeper than any name goes", () => {
    const under = (parts: number) => match(["a"], [`${"x.".repeat(parts)}a`]).found;
    expect(under(151)).toBe(1);
    expect(under(152)).toBe(0);
  });

  test("are not those of a ResNet in the file, whose names are not theirs", () => {
    const file = { layout: "torch" as const, tensors: shaped({ ...NET, "bn1.bias": [16] }) };
    const found = matchNames({}, ["conv.weight", "bn.weight"], file, true);
    expect([found.found, found.nameOf("conv.weight")]).toEqual([0, "conv.weight"]);
    // A model with only one of a base's fields is none either.
    for (const model of [{ nBlocks: [1] }, { outChannels: 8 }])
      expect(matchNames(model, ["conv.weight", "bn.weight"], file, true).found).toBe(0);
    expect(
      matchNames({ nBlocks: [1], outChannels: 8 }, ["conv.weight", "bn.weight"], file, true),
    ).toMatchObject({
      found: 2,
      names: Object.keys({ ...NET, "bn1.bias": [] }),
    });
  });
});
