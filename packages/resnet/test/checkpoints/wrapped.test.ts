import { init, noGrad, scope, type Tensor, tensor } from "@shadegrad/tensor";
import { readNpy, toBytes, type Writable, writeSafetensors } from "@shadegrad/tensor/formats";
import { dispose, evaluate, stateDict, torchStateDict } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkpointBytes,
  inspectCheckpoint,
  loadCheckpoint,
  modelOf,
  openCheckpoint,
} from "../../src/checkpoints/index.ts";
import { ResNet } from "../../src/index.ts";
import { torchvisionName } from "../../src/names.ts";
import { bytesOf, messageOf } from "./files.ts";

beforeAll(async () => {
  await init();
});

const npy = async (name: string) => readNpy(await bytesOf(name));

/** The logits of x.npy, which is `[N, H, W, C]`. */
async function logitsOf(net: ResNet): Promise<number[]> {
  const { data, shape } = await npy("x.npy");
  const logits = scope((): Tensor => {
    const x = tensor(data as Float32Array, shape as number[]);
    return noGrad(() => evaluate(net).forward(x));
  });
  return [...(await logits.data())];
}

async function opened(bytes: Uint8Array): Promise<ResNet> {
  const net = new ResNet(modelOf(await inspectCheckpoint(bytes))!.options);
  await loadCheckpoint(net, bytes);
  return net;
}

describe("PyTorch's answers, whatever was saved", () => {
  test.each([
    ["all-half.pth", "all-half.npy", 5e-3],
    ["orig_mod-module.pth", "logits.npy", 1e-5],
    ["lightning-model.pth", "logits.npy", 1e-5],
    ["protocol4-legacy.pth", "logits.npy", 1e-5],
  ])("%s", async (file, answers, tolerance) => {
    const net = await opened(await bytesOf(file));
    const [found, expected] = [await logitsOf(net), (await npy(answers)).data as Float32Array];
    const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
    const off = found.map((value, i) => value - expected[i]!);
    expect(found.length).toBe(expected.length);
    expect(norm(off) / norm(expected)).toBeLessThan(tolerance);
    dispose(net);
  });
});

const OPTIONS = {
  nBlocks: [2, 1],
  nChannels: [8, 16],
  bottlenecks: [2, 4],
  stemChannels: 4,
  firstKernelSize: 3,
  stemStride: 1,
  bias: false,
  classes: 3,
};

type State = Map<string, Writable>;

/** A net's state under torchvision's names. */
function torchvisionState(net: ResNet): State {
  const named = [...torchStateDict(net)].map(([own, x]) => [torchvisionName(own, net.options), x] as const);
  return new Map(named);
}

const renamed = (state: State, rename: (name: string) => string): State =>
  new Map([...state].map(([name, value]) => [rename(name), value]));

const fileOf = (state: State) => toBytes(writeSafetensors(state));

const number = (value: number): Writable => ({ dtype: "f32", shape: [1], data: Float32Array.of(value) });

async function numbersOf(model: object): Promise<Record<string, number[]>> {
  const entries = [...stateDict(model)].map(
    async ([name, x]) => [name, [...(await x.data())]] as [string, number[]],
  );
  return Object.fromEntries(await Promise.all(entries));
}

/** torchvision's name in the terms of Hugging Face's ResNets. */
const huggingFace = (name: string): string =>
  name
    .replace(/^conv1\b/, "resnet.embedder.embedder.convolution")
    .replace(/^bn1\b/, "resnet.embedder.embedder.normalization")
    .replace(/^fc\b/, "classifier.1")
    .replace(
      /^layer(\d)\.(\d)\.(conv|bn)(\d)/,
      (_, stage, block, layer, index) =>
        `resnet.encoder.stages.${stage - 1}.layers.${block}.layer.${index - 1}.${layer === "conv" ? "convolution" : "normalization"}`,
    )
    .replace(
      /^layer(\d)\.(\d)\.downsample\.(\d)/,
      (_, stage, block, layer) =>
        `resnet.encoder.stages.${stage - 1}.layers.${block}.shortcut.${layer === "0" ? "convolution" : "normalization"}`,
    );

describe("names, under any wrapper", () => {
  const ways: Record<string, (state: State) => State> = {
    "DataParallel around torch.compile": (state) => renamed(state, (name) => `module._orig_mod.${name}`),
    "torch.compile around DataParallel, twice": (state) =>
      renamed(state, (name) => `_orig_mod.module._orig_mod.module.${name}`),
    "torch.compile of one stage": (state) =>
      renamed(state, (name) => name.replace("layer1.", "layer1._orig_mod.")),
    "an averaged model": (state) => renamed(state, (name) => `module.${name}`).set("n_averaged", number(7)),
    "Lightning, beside a loss": (state) =>
      renamed(state, (name) => `model.${name}`).set("criterion.weight", number(1)),
    "a wrapper in a framework's": (state) => renamed(state, (name) => `learner.net.module.${name}`),
    "a head in a Sequential": (state) => renamed(state, (name) => name.replace("fc.", "fc.1.")),
    "a backbone and a head": (state) =>
      renamed(state, (name) => (name.startsWith("fc.") ? `head.${name}` : `backbone.${name}`)),
    "a copy with averaged weights before it": (state) =>
      new Map([...averaged(state), ...renamed(state, (name) => `model.${name}`)]),
    "Hugging Face": (state) => renamed(state, huggingFace),
  };
  const averaged = (state: State): State =>
    new Map(
      [...state].map(([name, { dtype, shape }]) => {
        const size = shape.reduce((product, side) => product * side, 1);
        const data = dtype === "i64" ? new BigInt64Array(size) : new Float32Array(size);
        return [`model_ema.module.${name}`, { dtype, shape, data }];
      }),
    );
  test.each(Object.keys(ways))("%s", async (way) => {
    const net = new ResNet(OPTIONS);
    const bytes = await fileOf(ways[way]!(torchvisionState(net)));
    const found = modelOf(await inspectCheckpoint(bytes))!;
    expect(found.options).toMatchObject(OPTIONS);
    const copy = new ResNet(OPTIONS);
    expect(await loadCheckpoint(copy, bytes)).toEqual({ missing: [], unexpected: [] });
    expect(await numbersOf(copy)).toEqual(await numbersOf(net));
  });

  test("what is missing or unexpected has the file's names", async () => {
    const state = renamed(torchvisionState(new ResNet(OPTIONS)), (name) => `model.${name}`);
    state.delete("model.layer1.1.bn2.weight");
    state.set("model.aux.weight", number(1));
    expect(await messageOf(loadCheckpoint(new ResNet(OPTIONS), await fileOf(state)))).toBe(
      [
        "loadCheckpoint: the state does not fit: 1 missing, 1 unexpected.",
        "  missing: model.layer1.1.bn2.weight",
        "  unexpected: model.aux.weight",
      ].join("\n"),
    );
  });

  test("a file of something else: the names it has, and what was looked for", async () => {
    const state = new Map([["encoder.layer.0.attention.weight", number(1)]]);
    const bytes = await fileOf(state);
    expect(modelOf(await inspectCheckpoint(bytes))).toBeUndefined();
    expect(await messageOf(loadCheckpoint(new ResNet(OPTIONS), bytes))).toBe(
      'loadCheckpoint: the file has none of the model\'s tensors. It has 1 tensors, "encoder.layer.0.attention.weight". Looked for conv1.weight (torchvision), conv1.weight (CIFAR nets), embedder.embedder.convolution.weight (Hugging Face), conv1/kernel (Keras, from Caffe), conv1_conv/kernel (Keras), under any prefix.',
    );
  });

  test("a model of another kind, under a prefix", async () => {
    const { conv } = new ResNet(OPTIONS).base;
    const bytes = await fileOf(new Map([...torchStateDict(conv)].map(([name, x]) => [`a.b.${name}`, x])));
    const copy = new ResNet(OPTIONS).base.conv;
    await loadCheckpoint(copy, bytes);
    expect(await numbersOf(copy)).toEqual(await numbersOf(conv));
  });

  test("a model with a field called module", async () => {
    const model = { module: new ResNet(OPTIONS).base.conv };
    const copy = { module: new ResNet(OPTIONS).base.conv };
    await loadCheckpoint(copy, await checkpointBytes(model));
    expect(await numbersOf(copy)).toEqual(await numbersOf(model));
  });
});

describe("a base and its head", () => {
  const net = () => new ResNet(OPTIONS);

  test("the base loads from the file of a whole net", async () => {
    const whole = net();
    for (const bytes of [
      await checkpointBytes(whole),
      await fileOf(new Map(torchStateDict(whole))),
      await fileOf(renamed(torchvisionState(whole), huggingFace)),
    ]) {
      const { base } = net();
      expect(await loadCheckpoint(base, bytes)).toEqual({ missing: [], unexpected: [] });
      expect(await numbersOf(base)).toEqual(await numbersOf(whole.base));
    }
  });

  test("everything but the head, from a net of other classes", async () => {
    const bytes = await checkpointBytes(new ResNet({ ...OPTIONS, classes: 7 }));
    const copy = net();
    const { "fc.weight": weight, "fc.bias": bias } = await numbersOf(copy);
    expect(await messageOf(loadCheckpoint(copy, bytes))).toContain(
      "fc.weight is [7,16] but has to be [3,16]",
    );
    expect(await loadCheckpoint(copy, bytes, { head: false })).toEqual({ missing: [], unexpected: [] });
    expect(await numbersOf(copy)).toMatchObject({ "fc.weight": weight, "fc.bias": bias });
  });

  test("a file without a head", async () => {
    const state = torchvisionState(net());
    for (const name of ["fc.weight", "fc.bias"]) state.delete(name);
    const bytes = await fileOf(state);
    const found = modelOf(await inspectCheckpoint(bytes))!;
    expect([found.hasHead, found.options.classes]).toEqual([false, 10]);
    expect(await messageOf(loadCheckpoint(net(), bytes))).toContain("missing: fc.weight");
    await loadCheckpoint(net(), bytes, { head: false });
    await loadCheckpoint(net().base, bytes);
  });
});

describe("in shards", () => {
  const sharded = async () => {
    const net = new ResNet(OPTIONS);
    const state = [...renamed(torchvisionState(net), huggingFace)];
    const parts = [state.slice(0, 20), state.slice(20)];
    const weight_map = Object.fromEntries(
      parts.flatMap((part, i) => part.map(([name]) => [name, `model-${i}.safetensors`])),
    );
    const files = parts.map(
      async (part, i) => new File([await fileOf(new Map(part))], `model-${i}.safetensors`),
    );
    const index = (changes: object = {}) =>
      new File(
        [JSON.stringify({ metadata: {}, weight_map: { ...weight_map, ...changes } })],
        "model.safetensors.index.json",
      );
    return { net, shards: await Promise.all(files), index, config: new File(["{}"], "config.json") };
  };

  test("the index and its files", async () => {
    const { net, shards, index, config } = await sharded();
    const copy = new ResNet(OPTIONS);
    await loadCheckpoint(copy, [config, ...shards, index()]);
    expect(await numbersOf(copy)).toEqual(await numbersOf(net));
  });

  test("shards of another format, and more than any checkpoint has", async () => {
    const kinds = new File([(await bytesOf("kinds.pt")) as Uint8Array<ArrayBuffer>], "pytorch_model-1.bin");
    const index = (map: object) =>
      new File([JSON.stringify({ weight_map: map })], "pytorch_model.bin.index.json");
    const { tensors } = await inspectCheckpoint([index({ f32: kinds.name, i64: kinds.name }), kinds]);
    expect([...tensors].map(([name, { dtype }]) => [name, dtype])).toEqual([
      ["f32", "f32"],
      ["i64", "i64"],
    ]);
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`a${i}`, `${i}.bin`]));
    expect(await messageOf(openCheckpoint([index(many), kinds]))).toContain(
      "it names 1001 shards, more than 1000",
    );
  });

  test("what does not fit", async () => {
    const { shards, index } = await sharded();
    expect(await messageOf(openCheckpoint([index(), shards[0]!]))).toBe(
      'index.json: its shard "model-1.safetensors" is not among the 2 files given.',
    );
    expect(await messageOf(openCheckpoint([index({ more: "model-0.safetensors" }), ...shards]))).toContain(
      'it places "more" in "model-0.safetensors", which lacks it',
    );
    expect(await messageOf(openCheckpoint([index({ more: "../a" }), ...shards]))).toContain(
      '"../a" is no path of a file beside it',
    );
    const itself = new File([JSON.stringify({ weight_map: { a: "a.index.json" } })], "a.index.json");
    expect(await messageOf(openCheckpoint([itself, shards[0]!]))).toContain('shard "a.index.json" is JSON');
  });
});

test.each(["f16", "bf16", "f32", "f64"] as const)(
  "counters of a net that was cast to %s as a whole",
  async (dtype) => {
    const most = dtype === "f16" ? 2 ** 31 - 1 : 1e6;
    const state = torchvisionState(new ResNet(OPTIONS));
    for (const name of state.keys())
      if (name.endsWith("num_batches_tracked"))
        state.set(name, {
          dtype,
          shape: [],
          data: (dtype === "f64" ? Float64Array : Float32Array).of(
            name === "bn1.num_batches_tracked" ? 1e6 : 384,
          ),
        });
    const net = new ResNet(OPTIONS);
    await loadCheckpoint(net, await fileOf(state));
    expect(await net.base.blocks[0]!.bn1.numBatchesTracked.item()).toBe(384);
    expect(Math.abs((await net.base.bn.numBatchesTracked.item()) / most - 1)).toBeLessThan(0.01);
  },
);

test("a file of empty tensors asks for no net", async () => {
  const empty = (shape: number[]): Writable => ({ dtype: "f32", shape, data: new Float32Array() });
  const state: State = new Map([
    ["conv1.weight", empty([4096, 3, 7, 0])],
    ["fc.weight", empty([0, 4096])],
  ]);
  for (let block = 0; block < 1000; block++)
    for (const conv of ["conv1", "conv2"])
      state.set(`layer1.${block}.${conv}.weight`, empty([4096, 0, 3, 3]));
  const checkpoint = await openCheckpoint(await fileOf(state));
  expect(modelOf(checkpoint)).toBeUndefined();
});
