import { init, tensor } from "@shadegrad/tensor";
import { type HostTensor, toBytes, type Writable, writeSafetensors } from "@shadegrad/tensor/formats";
import { BatchNorm2d, dispose, Linear, torchStateDict } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, test } from "vitest";
import type { Checkpoint } from "../../src/checkpoints/checkpoint-file.ts";
import {
  checkpointBytes,
  inspectCheckpoint,
  loadCheckpoint,
  openCheckpoint,
  saveCheckpoint,
} from "../../src/checkpoints/index.ts";
import { batchNormsOf } from "../../src/checkpoints/load.ts";
import { ResNet } from "../../src/index.ts";
import { torchvisionName } from "../../src/names.ts";
import { messageOf } from "./files.ts";

const OPTIONS = { nBlocks: [1], nChannels: [4], firstKernelSize: 3, stemStride: 1, bias: false, classes: 3 };

beforeAll(async () => {
  await init();
});

/** An open checkpoint of a state; `changes` of its tensors by name, and a list of the names as they are read. */
async function opened(
  state: Iterable<readonly [string, Writable]>,
  changes: (name: string) => object = () => ({}),
  metadata: Record<string, string> = {},
) {
  const file = await openCheckpoint(await toBytes(writeSafetensors(new Map(state))));
  const read: string[] = [];
  let closed = 0;
  const tensors = [...file.tensors].map(([name, tensor]) => {
    const numbers = () => {
      read.push(name);
      return tensor.read();
    };
    return [name, { dtype: tensor.dtype, shape: tensor.shape, read: numbers, ...changes(name) }] as const;
  });
  const checkpoint: Checkpoint = {
    ...file,
    tensors: new Map(tensors),
    metadata: new Map(Object.entries(metadata)),
    close: async () => void closed++,
  };
  return { checkpoint, read, closed: () => closed };
}

const torchvision = (net: ResNet) =>
  [...torchStateDict(net)].map(([own, x]) => [torchvisionName(own, net.options), x] as const);

const isCounter = (name: string) => name.endsWith("num_batches_tracked");
const float = (value: number): Writable => ({ dtype: "f64", shape: [], data: Float64Array.of(value) });

describe("loading", () => {
  test("reads tensors by their places in the file, and leaves open what was open", async () => {
    const net = new ResNet(OPTIONS);
    const names = torchvision(net).map(([name]) => name);
    // Counters of floats are converted, and stay where they are.
    const state = torchvision(net).map(([name, x]) => [name, isCounter(name) ? float(0) : x] as const);
    const backwards = await opened(state, (name) => ({ position: 1000 - names.indexOf(name) }));
    await loadCheckpoint(net, backwards.checkpoint);
    expect(backwards.read).toEqual([...names].reverse());
    expect(backwards.closed()).toBe(0);
    const partly = await opened(torchvision(net), (name) => (name === names[2] ? { position: -1 } : {}));
    await loadCheckpoint(net, partly.checkpoint);
    expect(partly.read[0]).toBe(names[2]);
    dispose(net);
  });

  test("without the head leaves the file's head out, under the net's own names too, with a prefix or without", async () => {
    const net = new ResNet(OPTIONS);
    for (const prefix of ["", "model."]) {
      const state = [...torchStateDict(net)].map(([name, x]) => [prefix + name, x] as const);
      const { checkpoint, read } = await opened(state);
      expect(await loadCheckpoint(net, checkpoint, { head: false })).toEqual({ missing: [], unexpected: [] });
      const names = state.map(([name]) => name).filter((name) => !name.includes("fc."));
      expect(new Set(read)).toEqual(new Set(names));
    }
    dispose(net);
  });

  test("closes what it opened, whether it fits or not", async () => {
    const net = new ResNet(OPTIONS);
    const source = (bytes: Uint8Array) => ({
      ...{ size: bytes.length, seekable: true, closed: 0 },
      read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
      async close() {
        this.closed++;
      },
    });
    const right = source(await checkpointBytes(net));
    await loadCheckpoint(net, right);
    expect(right.closed).toBe(1);
    const wrong = source(
      await toBytes(writeSafetensors({ a: { dtype: "u8", shape: [0], data: new Uint8Array() } })),
    );
    await expect(loadCheckpoint(net, wrong)).rejects.toThrow("has none of the model's tensors");
    expect(wrong.closed).toBe(1);
    dispose(net);
  });

  test("knows its options", async () => {
    const net = new ResNet(OPTIONS);
    const bytes = await checkpointBytes(net);
    await expect(loadCheckpoint(net, bytes, { heads: false } as object)).rejects.toThrow(
      /loadCheckpoint.*heads/,
    );
    await expect(saveCheckpoint(net, "x", { seed: 1 } as object)).rejects.toThrow(/saveCheckpoint.*seed/);
    await expect(checkpointBytes(net, { seed: 1 } as object)).rejects.toThrow(/checkpointBytes.*seed/);
    dispose(net);
  });

  test("gives a net the file's class names, if it has as many and takes the head", async () => {
    const names = ["cat", "cup", "dog"];
    const saved = new ResNet(OPTIONS);
    saved.labels = names;
    const bytes = await checkpointBytes(saved);
    const loaded = async (from: Uint8Array | Checkpoint, options: object = {}) => {
      const net = new ResNet(OPTIONS);
      await loadCheckpoint(net, from, options);
      dispose(net);
      return net.labels;
    };
    expect(await loaded(bytes)).toEqual(names);
    expect(await loaded(bytes, { head: false })).toBeUndefined();
    const other = await opened(torchvision(saved), undefined, { labels: '["cat","cup"]' });
    expect(await loaded(other.checkpoint)).toBeUndefined();
    dispose(saved);
  });

  test("gives a net the preprocessing that the file notes, with the head or without", async () => {
    const preprocessing = { channels: "rgb", range: 255, mean: [1, 2, 3], std: [4, 5, 6] } as const;
    const net = new ResNet(OPTIONS);
    const bytes = await checkpointBytes(net, { preprocessing });
    for (const head of [true, false]) {
      const copy = new ResNet(OPTIONS);
      await loadCheckpoint(copy, bytes, { head });
      expect(copy.preprocessing).toEqual(preprocessing);
      await loadCheckpoint(copy, await checkpointBytes(net), { head });
      expect(copy.preprocessing).toEqual(preprocessing);
      dispose(copy);
    }
    dispose(net);
  });

  test("takes counters of batches of floats for the whole numbers that they stand for", async () => {
    const net = new ResNet(OPTIONS);
    const counters = [...batchNormsOf(net).values()].map((norm) => norm.numBatchesTracked);
    expect(counters).toHaveLength(3);
    const loaded = async (...counts: number[]) => {
      let at = 0;
      const state = torchvision(net).map(
        ([name, x]) => [name, isCounter(name) ? float(counts[at++]!) : x] as const,
      );
      await loadCheckpoint(net, (await opened(state)).checkpoint);
      return Promise.all(counters.map((counter) => counter.item()));
    };
    expect(await loaded(2.5, 2.4, 0)).toEqual([3, 2, 0]);
    expect(await loaded(Number.NaN, -5, 7)).toEqual([0, 0, 7]);
    expect(await loaded(Infinity, 2 ** 40, 1)).toEqual([2 ** 31 - 1, 2 ** 31 - 1, 1]);
    dispose(net);
  });

  test("gives batch norms of a ResNet PyTorch's epsilon or the file's, of another model the file's alone", async () => {
    const net = new ResNet(OPTIONS);
    const norms = () => Object.fromEntries([...batchNormsOf(net)].map(([name, { eps }]) => [name, eps]));
    for (const norm of batchNormsOf(net).values()) norm.eps = 0.5;
    const own = await opened(torchvision(net), (name) =>
      name === "layer1.0.bn1.running_var" ? { epsilon: 0.25 } : {},
    );
    await loadCheckpoint(net, own.checkpoint);
    expect(norms()).toEqual({
      "base.bn.running_var": 1e-5,
      "base.blocks.0.bn1.running_var": 0.25,
      "base.blocks.0.bn2.running_var": 1e-5,
    });
    const norm = new BatchNorm2d(4, { eps: 0.5 });
    await loadCheckpoint({ norm }, (await opened([...torchStateDict({ norm })])).checkpoint);
    expect(norm.eps).toBe(0.5);
    const given = await opened([...torchStateDict({ norm })], () => ({ epsilon: 0.125 }));
    await loadCheckpoint({ norm }, given.checkpoint);
    expect(norm.eps).toBe(0.125);
    // Nothing was read for a norm that the file lacks.
    for (const each of batchNormsOf(net).values()) each.eps = 0.5;
    const state = torchvision(net).filter(([name]) => name !== "bn1.running_var");
    await loadCheckpoint(net, (await opened(state)).checkpoint, { strict: false });
    expect(norms()["base.bn.running_var"]).toBe(0.5);
    dispose(net);
    dispose(norm);
  });
});

describe("saving", () => {
  const notesOf = async (model: object, options: object = {}) =>
    Object.fromEntries((await inspectCheckpoint(await checkpointBytes(model, options))).metadata);

  test("notes preprocessing that is given before the net's own", async () => {
    const [own, given] = [1, 255].map(
      (range) => ({ channels: "grey", range, mean: [0], std: [1] }) as { range: number },
    );
    const net = new ResNet(OPTIONS);
    expect(await notesOf(net)).not.toHaveProperty("preprocessing");
    net.preprocessing = own as never;
    expect((await notesOf(net)).preprocessing).toBe(JSON.stringify(own));
    expect((await notesOf(net, { preprocessing: given })).preprocessing).toBe(JSON.stringify(given));
    dispose(net);
  });

  test("keeps the notes that are given, but for those of a seal", async () => {
    const net = new ResNet(OPTIONS);
    const metadata = { resnet: "{}", format: "x", sha256: "y", "sha256.tensors": "z" };
    const notes = await notesOf(net, { metadata });
    expect([notes.resnet, notes.format]).toEqual(["{}", "x"]);
    expect(notes.sha256).toMatch(/^[\da-f]{64}$/);
    expect(JSON.parse(notes["sha256.tensors"]!)).toHaveProperty(["conv1.weight"]);
    expect(JSON.parse((await notesOf(net)).resnet!)).toMatchObject({
      ...OPTIONS,
      stemStride: 1,
      shortcut: "projection",
    });
    dispose(net);
  });

  test("notes no ResNet for what is none", async () => {
    const layer = new Linear(2, 3);
    expect(Object.keys(await notesOf(layer)).sort()).toEqual(["format", "sha256", "sha256.tensors"]);
    dispose(layer);
  });

  test("to a stream ends it, or aborts it with the reason", async () => {
    const net = new ResNet(OPTIONS);
    const stream = (events: unknown[], failing = false) =>
      new WritableStream<Uint8Array>({
        write() {
          if (failing) throw new Error("disk full");
        },
        close: () => void events.push("close"),
        abort: (reason) => void events.push(reason),
      });
    const events: unknown[] = [];
    await saveCheckpoint(net, stream(events));
    expect(events).toEqual(["close"]);
    await expect(saveCheckpoint(net, stream([], true))).rejects.toThrow("disk full");
    dispose(net);
    const aborted: unknown[] = [];
    await expect(saveCheckpoint(net, stream(aborted))).rejects.toThrow("disposed");
    expect(aborted.map(String)).toEqual([expect.stringContaining("disposed")]);
  });

  test("moves what a norm adds beyond PyTorch's epsilon into its variances, and nothing else", async () => {
    const net = new ResNet(OPTIONS);
    const norm = batchNormsOf(net).get("base.bn.running_var")!;
    const numbers = async () => {
      const { tensors } = await openCheckpoint(await checkpointBytes(net));
      const found = [...tensors].map(
        async ([name, x]) => [name, [...((await x.read()).data as Float32Array)]] as const,
      );
      return Object.fromEntries(await Promise.all(found));
    };
    const before = await numbers();
    norm.eps = 1 + 1e-5;
    expect(await numbers()).toEqual({ ...before, "bn1.running_var": [2, 2, 2, 2] });
    dispose(net);
  });
});

describe("a sealed file", () => {
  const state = { a: { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) } } as const;
  const sealed = async () => {
    const layer = { a: tensor([1, 2], [2]) };
    const bytes = await checkpointBytes({ w: layer.a });
    return openCheckpoint(bytes);
  };

  test("is opened with its notes in any order, and not with one more or less", async () => {
    const { metadata, tensors } = await sealed();
    const numbers = new Map<string, HostTensor>();
    for (const [name, x] of tensors) numbers.set(name, await x.read());
    const open = async (notes: Iterable<readonly [string, string]>) =>
      openCheckpoint(await toBytes(writeSafetensors(numbers, new Map(notes))));
    const notes = [...metadata];
    expect((await open([...notes].reverse())).tensors.size).toBe(tensors.size);
    const changed =
      'safetensors: its names, shapes and notes are not those that it was saved with, by its SHA-256. Fetch the file again; if it was changed on purpose, remove "sha256.tensors" and "sha256" from its metadata.';
    expect(await messageOf(open([...notes, ["more", ""]]))).toBe(changed);
    for (const left of ["format", "sha256", "sha256.tensors"])
      expect(await messageOf(open(notes.filter(([key]) => key !== left))), left).toBe(changed);
  });

  test("that has no seal is as it is", async () => {
    const { tensors } = await openCheckpoint(await toBytes(writeSafetensors(state, { format: "pt" })));
    expect((await tensors.get("a")!.read()).data).toEqual(state.a.data);
  });
});
