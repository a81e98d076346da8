import {
  fromBfloat16Bits,
  fromFloat16Bits,
  type HostTensor,
  toBytes,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckpointInput } from "../../src/checkpoints/checkpoint-file.ts";
import { inspectCheckpoint, openCheckpoint } from "../../src/checkpoints/index.ts";
import { Opaque, OpaqueClass } from "../../src/checkpoints/opaque.ts";
import { readPickle } from "../../src/checkpoints/pickle.ts";
import { rebuildTensor } from "../../src/checkpoints/torch-tensor.ts";
import { bytesOf, counting, joined, messageOf, orFormatError, type Part } from "./files.ts";

const BOTH = ["kinds.pt", "kinds_legacy.pt"];

async function readAll(input: CheckpointInput): Promise<Map<string, HostTensor>> {
  const checkpoint = await openCheckpoint(input);
  const tensors = new Map<string, HostTensor>();
  for (const [name, tensor] of checkpoint.tensors) tensors.set(name, await tensor.read());
  await checkpoint.close();
  return tensors;
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

test.each(BOTH)("%s: every type, and every way to lie in a storage", async (file) => {
  const tensors = await readAll(await bytesOf(file));
  const found = Object.fromEntries(
    [...tensors].map(([name, { dtype, shape, data }]) => {
      const values =
        dtype === "f16" ? fromFloat16Bits(data) : dtype === "bf16" ? fromBfloat16Bits(data) : data;
      return [name, [dtype, shape, Array.from(values as Iterable<number | bigint>)]];
    }),
  );
  const columns = range(6).flatMap((column) => range(4).map((row) => row * 6 + column));
  expect(found).toEqual({
    f32: ["f32", [2, 3, 4], range(24).map((i) => i / 8)],
    f16: ["f16", [6], range(6).map((i) => i / 8)],
    bf16: ["bf16", [6], range(6).map((i) => i / 8)],
    f64: ["f64", [6], range(6).map((i) => i / 3)],
    i64: ["i64", [3], [-1n, 2n ** 53n, 3n]],
    i32: ["i32", [3, 1], [-1, 2, 3]],
    u8: ["u8", [3], [0, 7, 255]],
    bool: ["bool", [3], [1, 0, 1]],
    scalar: ["i64", [], [7n]],
    empty: ["f32", [0, 3], []],
    transposed: ["f32", [6, 4], columns],
    every_other: ["f32", [12], range(12).map((i) => 2 * i + 1)],
    channels_last: ["f32", [1, 2, 3, 4], range(24)],
    part: ["f32", [4], [5, 6, 7, 8]],
    parameter: ["f32", [2], [1, 2]],
  });
});

test.each(["wrapped.pt", "wrapped_legacy.pt"])(
  "%s: the state dict among others, without DataParallel's prefix",
  async (file) => {
    const { format, layout, tensors, metadata } = await inspectCheckpoint(await bytesOf(file));
    expect([format, layout]).toEqual([file === "wrapped.pt" ? "PyTorch" : "PyTorch (legacy)", "torch"]);
    expect([...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`)).toEqual([
      "0.weight f32 [4,3,3,3]",
      "0.bias f32 [4]",
      "1.weight f32 [4]",
      "1.bias f32 [4]",
      "1.running_mean f32 [4]",
      "1.running_var f32 [4]",
      "1.num_batches_tracked i64 []",
    ]);
    expect([...metadata]).toEqual([
      ["epoch", "3"],
      ["best_prec1", "91.5"],
      ["arch", "small"],
    ]);
  },
);

test.each(BOTH)("%s: from a Blob, and from a stream that only goes forth", async (file) => {
  const bytes = await bytesOf(file);
  const expected = await readAll(bytes);
  expect(await readAll(new Blob([bytes as Uint8Array<ArrayBuffer>]))).toEqual(expected);
  expect(await readAll([bytes.subarray(0, 100), bytes.subarray(100)])).toEqual(expected);
});

test.each(BOTH)("%s: tensors that share a storage and follow each other read it once", async (file) => {
  const source = counting(await bytesOf(file));
  const { tensors, close } = await openCheckpoint(source);
  const before = source.total;
  await tensors.get("transposed")!.read();
  const once = source.total;
  await tensors.get("every_other")!.read();
  expect([once - before < 200, source.total]).toEqual([true, once]);
  await close();
});

test("pickles longer than the first read of a legacy file", async () => {
  const bytes = await bytesOf("kinds_legacy.pt");
  const [machine, persistent] = [21, () => undefined];
  const { end } = readPickle(bytes, machine, { known: new Map(), persistent });
  const text = joined(
    [0x80, 2],
    "X",
    new Uint8Array(Uint32Array.of(3_000_000).buffer),
    "a".repeat(3_000_000),
    ".",
  );
  const long = new Blob([bytes.slice(0, machine), text, bytes.slice(end)]);
  expect(await readAll(long)).toEqual(await readAll(bytes));
});

test("a view may end with the last element of its storage, and no further", async () => {
  const storage = {
    key: "0",
    dtype: "u8" as const,
    elements: 6,
    position: () => 0,
    read: async () => Uint8Array.of(0, 1, 2, 3, 4, 5),
  };
  const view = (offset: number, shape: number[], strides: number[]) =>
    rebuildTensor(storage, offset, shape, strides);
  expect([...((await view(1, [2, 2], [3, 1]).read()).data as Uint8Array)]).toEqual([1, 2, 4, 5]);
  expect(() => view(2, [2, 2], [3, 1])).toThrow("does not fit its storage of 6 elements");
  expect(() => view(0, [7], [0])).toThrow("does not fit its storage of 6 elements");
  expect((await view(6, [0, 2], [1, 1]).read()).data).toHaveLength(0);
});

describe("objects of other classes", () => {
  test("are passed over", async () => {
    const { tensors, metadata } = await inspectCheckpoint(await bytesOf("numpy_scalar.pt"));
    expect(tensors.size).toBeGreaterThan(0);
    expect([...metadata.keys()]).not.toContain("best");
  });

  test("of the kinds that training scripts save are passed over", async () => {
    const tensors = await readAll(await bytesOf("opaque.pth"));
    expect([...tensors].map(([name, { data }]) => [name, ...(data as Float32Array)])).toEqual([
      ["weight", 1, 2, 3],
      ["bias", 0.5],
    ]);
  });

  test("a module that was saved whole gives its state", async () => {
    const tensors = await readAll(await bytesOf("module.pt"));
    expect(
      [...tensors].map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape}]`),
    ).toMatchInlineSnapshot(`
      [
        "weight f32 [3,2]",
        "bias f32 [3]",
      ]
    `);
  });
});

describe("refuses", () => {
  test.each([
    [
      "expanded.pt",
      "pickle: a tensor [4,3] with strides [0,1] from element 0 does not fit its storage of 3 elements.",
    ],
    ["list.pt", "pickle: there is no state dict in it, but a list."],
    ["script.pt", "zip: this is a TorchScript program, expected a state dict."],
  ])("%s", async (file, message) => {
    expect(await messageOf(openCheckpoint(await bytesOf(file)))).toContain(message);
  });

  const known = new Map<string, unknown>([
    ["collections.OrderedDict", ([pairs]: [[unknown, unknown][]]) => new Map(pairs)],
  ]);
  const read = (...parts: Part[]) => {
    const persistent = (id: unknown) => ({ id });
    return readPickle(joined([0x80, 2], ...parts), 0, { known, persistent }).value;
  };

  test("functions that are not known are not called", () => {
    expect(read("cbuiltins\neval\nX\x06\0\0\0exit()\x85R.")).toEqual(new Opaque("builtins.eval"));
    expect(read("cposix\nsystem\n.")).toEqual(new OpaqueClass("posix.system"));
    expect(read([0x8c, 2], "os", [0x8c, 6], "system", [0x93], ".")).toEqual(new OpaqueClass("os.system"));
    expect(read("c__proto__\nconstructor\n)R.")).toEqual(new Opaque("__proto__.constructor"));
  });

  test("objects are made of no class", () => {
    const namespace = "cargparse\nNamespace\n)\x81}X\x02\0\0\0lrK\x05sb.";
    const made = new Opaque("argparse.Namespace");
    made.items.set("", new Map([["lr", 5]]));
    expect(read(namespace)).toEqual(made);
    const counter = "ccollections\nCounter\n}X\x01\0\0\0aK\x01s\x85R.";
    expect((read(counter) as Opaque).items.get("")).toEqual(new Map([["a", 1]]));
    expect(read("cdatetime\ndatetime\nC\x02ab\x85R.")).toEqual(new Opaque("datetime.datetime"));
    expect(read([0x8f], "(K\x01K\x02", [0x90], ".")).toEqual([1, 2]);
  });

  test("opcodes that make objects", () => {
    expect(() => read("i")).toThrow("opcode 0x69 at byte 2, which torch.save does not write");
    expect(() => read("I1\n.")).toThrow("opcode 0x49");
    expect(() => read("})R.")).toThrow("calls a dict, which is no function");
    expect(() => read("cos\nsystem\nK\x01R.")).toThrow("calls with the number 1 for arguments");
    expect(() => read("]}b.")).toThrow("sets attributes of a list");
  });

  test("names that are no strings, which joined would be as long as they like", () => {
    const pairs = Array(60).fill("\x86\x94h\0").join("");
    expect(() => read("X\x01\0\0\0a", "2", pairs.replaceAll("h\0", "2"), [0x93], ".")).toThrow(
      /names a list and a list, not a module and a name/,
    );
  });

  test("objects by the million in a small pickle", () => {
    expect(() => read("}".repeat(1_000_000), ".")).toThrow(
      "makes more objects than a checkpoint of its size",
    );
  });

  test("arguments by the hundred thousand", () => {
    const many = ["ccollections\nOrderedDict\n(", new Uint8Array(200_000).fill(0x4e), "tR."];
    expect(read(...many)).toEqual(new Map());
  });

  test("a pickle that copies the same list again and again", () => {
    const long = ["(", "K\x01K\x02\x86".repeat(500), "l", [0x71, 0]];
    const again = ["ccollections\nOrderedDict\n", [0x68, 0], [0x85], "R0"];
    expect(() => read(...long, ...Array(100).fill(again).flat(), "N.")).toThrow(
      "repeats itself beyond its own length",
    );
  });

  test("memory that is not there, and stacks that are empty", () => {
    expect(() => read("h\x05.")).toThrow("asks for memo 5, which it has not stored");
    expect(() => read(".")).toThrow("takes from an empty stack");
    expect(() => read("t.")).toThrow("closes what it has not opened");
    expect(() => read("X\xff\xff\xff\x7f")).toThrow("breaks off");
    expect(() => read([0x8b, 0, 1, 0, 0])).toThrow("a number has 256 bytes");
  });

  test("Python 2 writes dicts as lists of pairs, and text as bytes", () => {
    expect(read("ccollections\nOrderedDict\n](](U\x01aK\x07ee\x85R.")).toEqual(new Map([["a", 7]]));
  });
});

describe("damage is a FormatError, and costs no more than the file", () => {
  const FILES = [...BOTH, "wrapped.pt", "wrapped_legacy.pt"];

  async function readSome(bytes: Uint8Array): Promise<unknown> {
    const source = counting(bytes);
    const found = await orFormatError(readAll(source));
    expect(source.most).toBeLessThanOrEqual(bytes.length);
    if (found instanceof Map) {
      for (const { data } of found.values())
        expect((data as Uint8Array).byteLength).toBeLessThanOrEqual(bytes.length);
    }
    return found;
  }

  test.each(FILES)("%s cut off at every byte", async (file) => {
    const bytes = await bytesOf(file);
    for (let length = 0; length < bytes.length; length++) {
      expect(await messageOf(readAll(bytes.subarray(0, length)))).toMatch(/\. |; expected/);
    }
  });

  test.each(FILES)("%s with random bytes changed", async (file) => {
    const bytes = await bytesOf(file);
    const change = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const copy = bytes.slice();
        for (const [at, byte] of changes) copy[at] = byte;
        await readSome(copy);
      }),
      { numRuns: 500 },
    );
  });

  test("random opcodes", async () => {
    const opcodes = fc.constantFrom(
      ...[..."N\x88\x89K\x05M\x05\x05()]}tl\x85\x86\x87aesuq\x01h\x01QRb0"].map((c) => c.charCodeAt(0)),
    );
    const rules = { known: new Map(), persistent: (id: unknown) => ({ id }) };
    await fc.assert(
      fc.asyncProperty(fc.array(opcodes, { maxLength: 60 }), async (code) => {
        await orFormatError((async () => readPickle(joined([0x80, 2], code, "."), 0, rules))());
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a wrong file says what it is and what was expected", () => {
  const EXPECTED = "expected safetensors, a PyTorch checkpoint or a TensorFlow.js model.json.";
  test.each([
    ["an empty file", ""],
    ["a JPEG image", [0xff, 0xd8, 0xff, 0xe0]],
    ["a PNG image", [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]],
    ["a gzip archive; unpack it first", [0x1f, 0x8b, 8, 0]],
    ["an HDF5 file, as Keras writes; convert it with tensorflowjs_converter", [0x89, 0x48, 0x44, 0x46]],
    ["an HTML page, perhaps of an error", "\n<!DOCTYPE html><html><title>404</title>"],
    ["an XML document", "<?xml version='1.0'?><Error>"],
    [
      "a Git LFS pointer, which stands for the file; fetch it with `git lfs pull`",
      "version https://git-lfs.github.com/spec/v1\noid",
    ],
    ["a Python pickle that torch.save did not write", [0x80, 4, 0x95, 0]],
    ['a text file, "weights\\n" …', "weights\n"],
    ["5 bytes of an unknown format, 00 01 02 03 04 …", [0, 1, 2, 3, 4]],
    ["a tar archive; unpack it first", [...Array(257).fill(97), ...joined("ustar")]],
  ])("%s", async (what, content) => {
    expect(await messageOf(openCheckpoint(joined(content)))).toBe(`checkpoint: this is ${what}; ${EXPECTED}`);
  });

  test("a file has its name in the message", async () => {
    const file = new File(["<html>"], "weights.pt");
    expect(await messageOf(openCheckpoint(file))).toMatch(/^weights\.pt is an HTML page/);
  });

  test("a zip archive of something else", async () => {
    const bytes = (await bytesOf("kinds.pt")).slice();
    const text = new TextDecoder("latin1").decode(bytes);
    for (let at = -1; (at = text.indexOf("data.pkl", at + 1)) >= 0; ) bytes.set(joined("nope.txt"), at);
    expect(await messageOf(openCheckpoint(bytes))).toMatch(
      /^zip: this is a zip archive without the data\.pkl of torch\.save, expected a PyTorch checkpoint\. It has 15 entries: "kinds\/nope\.txt"/,
    );
  });

  test("safetensors, told by content, and cut off", async () => {
    const bytes = await toBytes(
      writeSafetensors({ a: { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) } }),
    );
    expect((await inspectCheckpoint(bytes)).format).toBe("safetensors");
    expect(await messageOf(openCheckpoint(bytes.subarray(0, 40)))).toMatch(/^safetensors: the header claims/);
  });
});
