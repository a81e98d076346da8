import { assign, FormatError, init, scope, type Tensor, tensor } from "@shadegrad/tensor";
import { toBytes, type Writable, writeSafetensors } from "@shadegrad/tensor/formats";
import { dispose, evaluate, stateDict, torchStateDict } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkpointBytes,
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  openCheckpoint,
  saveCheckpoint,
} from "../../src/checkpoints/index.ts";
import { sha256 } from "../../src/checkpoints/sha256.ts";
import { ResNet, type ResNetOptions, zoo } from "../../src/index.ts";
import { torchvisionName } from "../../src/names.ts";
import { messageOf } from "./files.ts";

const BASIC = {
  nBlocks: [1, 2],
  nChannels: [4, 8],
  firstKernelSize: 3,
  stemStride: 1,
  bias: false,
  classes: 3,
};
const BOTTLENECK = {
  nBlocks: [2, 1],
  nChannels: [8, 16],
  bottlenecks: [2, 4],
  stemChannels: 4,
  strideAt: 1 as const,
  classes: 3,
};

beforeAll(async () => {
  await init();
});

/** A net whose every number differs. */
function numbered(options: ResNetOptions & { classes: number }): ResNet {
  const net = new ResNet(options);
  let next = 1;
  for (const x of stateDict(net).values())
    assign(
      x,
      Array.from({ length: x.size }, () => next++ % 8192),
    );
  return net;
}

async function numbersOf(net: ResNet): Promise<Record<string, number[]>> {
  const numbers: Record<string, number[]> = {};
  for (const [name, x] of stateDict(net)) numbers[name] = [...(await x.data())];
  return numbers;
}

const fileOf = (state: Iterable<readonly [string, Writable]>) => toBytes(writeSafetensors(new Map(state)));

describe("names", () => {
  const ways: Record<string, (torch: string, own: string) => string> = {
    torchvision: (torch) => torch,
    "DataParallel and torch.compile": (torch) => `module._orig_mod.${torch}`,
    "this package's": (_, own) => own,
    "CIFAR nets with a linear head": (torch) => torch.replace("fc.", "linear."),
    "CIFAR nets with shortcuts": (torch) => torch.replace("fc.", "linear.").replace("downsample", "shortcut"),
  };
  test.each(Object.keys(ways))("%s", async (way) => {
    const net = numbered(BASIC);
    const named = [...torchStateDict(net)].map(
      ([own, x]) => [ways[way]!(torchvisionName(own, BASIC), own), x] as const,
    );
    const copy = new ResNet(BASIC);
    expect(await loadCheckpoint(copy, await fileOf(named))).toEqual({ missing: [], unexpected: [] });
    expect(await numbersOf(copy)).toEqual(await numbersOf(net));
  });

  test("files older than num_batches_tracked lack it", async () => {
    const net = numbered(BASIC);
    const named = [...torchStateDict(net)].filter(([name]) => !name.endsWith("num_batches_tracked"));
    const copy = new ResNet(BASIC);
    await loadCheckpoint(copy, await fileOf(named.map(([own, x]) => [torchvisionName(own, BASIC), x])));
    const [found, expected] = [await numbersOf(copy), await numbersOf(net)];
    expect(found["fc.weight"]).toEqual(expected["fc.weight"]);
    expect(found["base.bn.num_batches_tracked"]).toEqual([0]);
  });

  // Layers and their fields, in the order of the net's own state; the file's layout is the engine's.
  const block = (first: boolean, conv: (index: number) => string, norm: (index: number) => string) =>
    [1, 2, 3, ...(first ? [0] : [])].flatMap((i) => [
      ...["kernel", "bias"].map((field) => `${conv(i)}/${field}`),
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((field) => `${norm(i)}/${field}`),
    ]);
  const branch = (i: number) => ["branch1", "branch2a", "branch2b", "branch2c"][i];
  const keras = {
    "Keras from Caffe": [
      ...["conv1/kernel", "conv1/bias"],
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((field) => `bn_conv1/${field}`),
      ...["2a", "2b", "3a"].flatMap((at) =>
        block(
          at !== "2b",
          (i) => `res${at}_${branch(i)}`,
          (i) => `bn${at}_${branch(i)}`,
        ),
      ),
      ...["fc3/kernel", "fc3/bias"],
    ],
    Keras: [
      ...["conv1_conv/kernel", "conv1_conv/bias"],
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((field) => `conv1_bn/${field}`),
      ...["conv2_block1", "conv2_block2", "conv3_block1"].flatMap((at) =>
        block(
          at !== "conv2_block2",
          (i) => `${at}_${i}_conv`,
          (i) => `${at}_${i}_bn`,
        ),
      ),
      ...["predictions/kernel", "predictions/bias"],
    ],
  };
  test.each(Object.entries(keras))("%s, as TensorFlow.js has it", async (_, names) => {
    const net = numbered(BOTTLENECK);
    const state = [...stateDict(net)].filter(([name]) => !name.endsWith("num_batches_tracked"));
    expect(names.length).toBe(state.length);
    const weights = names.map((name, i) => ({ name, shape: state[i]![1].shape, dtype: "float32" }));
    const numbers = await Promise.all(state.map(([, x]) => x.data()));
    const model = { modelTopology: {}, weightsManifest: [{ paths: ["w.bin"], weights }] };
    const files = [
      new File([JSON.stringify(model)], "model.json"),
      new File(numbers as Float32Array<ArrayBuffer>[], "w.bin"),
    ];
    const copy = new ResNet(BOTTLENECK);
    await loadCheckpoint(copy, files);
    const [found, expected] = [await numbersOf(copy), await numbersOf(net)];
    for (const [name] of state) expect(found[name], name).toEqual(expected[name]);
    expect(modelOf(await inspectCheckpoint(files))!.options).toMatchObject({
      ...BOTTLENECK,
      bias: true,
      groups: 1,
    });
  });
});

test("all complaints at once, sorted, under the file's names, before anything changes", async () => {
  const net = new ResNet(BASIC);
  const before = await numbersOf(net);
  const state = new Map(
    [...torchStateDict(new ResNet({ ...BASIC, classes: 5 }))].map(
      ([own, x]) => [torchvisionName(own, BASIC), x] as const,
    ),
  );
  const stray = state.get("conv1.weight")!;
  state.delete("layer1.0.bn2.running_var");
  state.delete("conv1.weight");
  state.set("layer3.0.conv1.weight", stray);
  state.set("aux.weight", stray);
  expect(await messageOf(loadCheckpoint(net, await fileOf(state)))).toMatchInlineSnapshot(`
    "loadCheckpoint: the state does not fit: 2 missing, 2 unexpected, 2 misshapen.
      missing: conv1.weight
      missing: layer1.0.bn2.running_var
      unexpected: aux.weight
      unexpected: layer3.0.conv1.weight
      misshapen: fc.bias is [5] but has to be [3]
      misshapen: fc.weight is [5,8] but has to be [3,8]"
  `);
  expect(await numbersOf(net)).toEqual(before);
  const lenient = await fileOf([...state].filter(([name]) => !name.startsWith("fc.")));
  expect(await loadCheckpoint(net, lenient, { strict: false })).toEqual({
    missing: ["conv1.weight", "fc.bias", "fc.weight", "layer1.0.bn2.running_var"],
    unexpected: ["aux.weight", "layer3.0.conv1.weight"],
  });
});

describe("saving", () => {
  test("torchvision's names, PyTorch's layouts and types, and what was noted", async () => {
    const bytes = await checkpointBytes(numbered(BASIC), { metadata: { seed: "2015" } });
    const { tensors, metadata } = await inspectCheckpoint(bytes);
    const described = [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`);
    expect(described).toContain("conv1.weight f32 [4,3,3,3]");
    expect(described).toContain("layer2.0.downsample.0.weight f32 [8,4,1,1]");
    expect(described).toContain("layer2.1.bn2.num_batches_tracked i64 []");
    expect(described).toContain("fc.weight f32 [3,8]");
    expect(metadata.get("seed")).toBe("2015");
    expect(metadata.get("format")).toBe("pt");
  });

  test("labels where the net has some", async () => {
    const labelsOf = async (net: ResNet) =>
      (await inspectCheckpoint(await checkpointBytes(net))).metadata.get("labels");
    const net = numbered(BASIC);
    expect(await labelsOf(net)).toBeUndefined();
    net.labels = ["cat", "cup", "dog"];
    expect(await labelsOf(net)).toBe('["cat","cup","dog"]');
  });

  test("to a stream, and back into a net that computes the same", async () => {
    const net = evaluate(new ResNet(BASIC));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const stream = new WritableStream<Uint8Array>({
      write: (part) => void parts.push(part.slice() as Uint8Array<ArrayBuffer>),
    });
    await saveCheckpoint(net, stream);
    const copy = evaluate(new ResNet(BASIC));
    await loadCheckpoint(copy, new File(parts, "net.safetensors"));
    const x = tensor(
      Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
      [1, 8, 8, 3],
    );
    const answer = (model: ResNet) => scope((): Tensor => model.forward(x)).data();
    expect(await answer(copy)).toEqual(await answer(net));
  });

  test("a net of another kind keeps its own names", async () => {
    const { base } = new ResNet(BASIC);
    const bytes = await checkpointBytes(base);
    expect([...(await inspectCheckpoint(bytes)).tensors.keys()]).toContain("blocks.1.shortcut.conv.weight");
    await loadCheckpoint(new ResNet(BASIC).base, bytes);
  });

  test("a stream that fails", async () => {
    const stream = new WritableStream<Uint8Array>({
      write() {
        throw new Error("disk full");
      },
    });
    await expect(saveCheckpoint(new ResNet(BASIC), stream)).rejects.toThrow("disk full");
  });
});

describe("a saved file that has changed since", () => {
  test("is refused for any bit", async () => {
    const bytes = await checkpointBytes(new ResNet(BASIC), { metadata: { note: "as it was" } });
    const net = new ResNet(BASIC);
    await loadCheckpoint(net, bytes);
    for (let i = 0; i < 300; i++) {
      // Bits of the header and of the numbers, from a fixed sequence.
      const end = i % 3 === 0 ? 8 * 6000 : 8 * bytes.length;
      const bit = (i * 2_654_435_761) % end;
      const copy = bytes.slice();
      copy[bit >> 3]! ^= 1 << (bit & 7);
      await expect(loadCheckpoint(net, copy), `bit ${bit}`).rejects.toThrow(FormatError);
    }
  });

  test("names the tensor", async () => {
    const bytes = await checkpointBytes(new ResNet(BASIC));
    bytes[bytes.length - 300]! ^= 1;
    expect(await messageOf(loadCheckpoint(new ResNet(BASIC), bytes))).toMatch(
      /^safetensors: the numbers of "[\w.]+" are not those that it was saved with, by its SHA-256\./,
    );
  });

  test("is refused where the digests of its tensors are gone, though that of the rest is right", async () => {
    const header = await sha256(new TextEncoder().encode(JSON.stringify(["a", "f32", [1]])));
    const tensors = { a: { dtype: "f32" as const, shape: [1], data: Float32Array.of(1) } };
    const bytes = await toBytes(writeSafetensors(tensors, { sha256: header }));
    expect(await messageOf(openCheckpoint(bytes))).toMatch(
      /^safetensors: its names, shapes and notes are not those/,
    );
  });

  test("is not refused where another program kept the notes but the numbers", async () => {
    const { tensors, metadata } = await openCheckpoint(await checkpointBytes(new ResNet(BASIC)));
    const notes = [...metadata].filter(([key]) => !key.startsWith("sha256"));
    const state = await Promise.all([...tensors].map(async ([name, x]) => [name, await x.read()] as const));
    await loadCheckpoint(new ResNet(BASIC), await toBytes(writeSafetensors(state, notes)));
  });
});

describe("the architecture that a checkpoint tells", () => {
  test.each(["resnet8", "resnet20"] as const)("%s", async (name) => {
    const net = zoo[name]();
    const bytes = await checkpointBytes(net);
    const found = modelOf(await inspectCheckpoint(bytes))!;
    expect(found.name).toBe(name);
    await loadCheckpoint(new ResNet(found.options), bytes);
    expect(found.preprocessing).toBeUndefined();
  });

  test.each(["resnet18", "resnext50", "wideResnet50"] as const)("%s", (name) => {
    const net = zoo[name]();
    const state = [...torchStateDict(net)].map(([own, x]) => [torchvisionName(own, net.options), x] as const);
    dispose(net);
    const info = {
      format: "safetensors",
      layout: "torch",
      tensors: new Map(state),
      metadata: new Map(),
    } as const;
    const found = modelOf(info)!;
    expect(found.name).toBe(name);
    expect(found.options).toMatchObject(net.options);
    expect(found.preprocessing).toMatchObject({ channels: "rgb", range: 1, mean: [0.485, 0.456, 0.406] });
  });

  test("what pixels have to become is kept", async () => {
    const preprocessing = { channels: "bgr", range: 255, mean: [1, 2, 3], std: [1, 1, 2] } as const;
    const bytes = await checkpointBytes(zoo.resnet8(), { preprocessing });
    expect(modelOf(await inspectCheckpoint(bytes))!.preprocessing).toEqual(preprocessing);
  });

  test("what shapes leave open is noted on saving", async () => {
    const bytes = await checkpointBytes(zoo.resnet8({ shortcut: "pad-end", stemRelu: false, stemStride: 2 }));
    expect(modelOf(await inspectCheckpoint(bytes))!.options).toMatchObject({
      shortcut: "pad-end",
      stemRelu: false,
      stemStride: 2,
    });
  });

  test("notes the values of options that a net leaves out, which are not the usual ones", async () => {
    const net = new ResNet({ nBlocks: [1], nChannels: [8], bottlenecks: [4], classes: 2 });
    expect(modelOf(await inspectCheckpoint(await checkpointBytes(net)))!.options).toMatchObject({
      ...{ stemStride: 2, stemRelu: false, stemPool: false, shortcut: "projection", strideAt: 2 },
    });
    dispose(net);
  });

  test("a net without shortcuts comes back without", async () => {
    const bytes = await checkpointBytes(zoo.resnet8({ shortcut: "none" }));
    expect(modelOf(await inspectCheckpoint(bytes))!.options.shortcut).toBe("none");
  });

  test("notes that make no sense do not count", async () => {
    const checkpoint = await openCheckpoint(await checkpointBytes(zoo.resnet8()));
    for (const note of ["{", "null", "5", '{"stemStride":-1,"shortcut":"x","strideAt":7,"stemPool":"yes"}']) {
      expect(
        modelOf({
          ...checkpoint,
          metadata: new Map([
            ["resnet", note],
            ["preprocessing", note],
          ]),
        })!.options,
      ).toMatchObject({
        stemStride: 1,
        shortcut: "pad-both",
      });
    }
  });

  test("none, for what is no ResNet", async () => {
    const state: [string, Writable][] = [
      ["conv1.weight", { dtype: "f32", shape: [2], data: new Float32Array(2) }],
    ];
    expect(modelOf(await inspectCheckpoint(await fileOf(state)))).toBeUndefined();
  });
});
