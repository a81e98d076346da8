import { describe, expect, test } from "vitest";
import type { CheckpointInput } from "../../src/checkpoints/checkpoint-file.ts";
import { openCheckpoint } from "../../src/checkpoints/index.ts";
import { joined, messageOf } from "./files.ts";
import { f32, i64, Name, Persistent, pickled, tensorIn, torchLegacy, torchZip, zip } from "./torch-file.ts";

async function readAll(input: CheckpointInput): Promise<Record<string, number[]>> {
  const { tensors, close } = await openCheckpoint(input);
  const found: Record<string, number[]> = {};
  for (const [name, tensor] of tensors) found[name] = [...((await tensor.read()).data as Float32Array)];
  await close();
  return found;
}

const NUMBERS = f32(1, 2, 3, 4, 5, 6);
const state = (tensors: Record<string, unknown>) => new Map(Object.entries(tensors));
const STATE = state({ a: tensorIn("0", 6), b: tensorIn("1", 2) });
const STORAGES = { 0: NUMBERS, 1: f32(7, 8) };
const EXPECTED = { a: [1, 2, 3, 4, 5, 6], b: [7, 8] };

describe("a zip archive of torch.save", () => {
  test("is read, in a folder or without", async () => {
    expect(await readAll(torchZip(STATE, STORAGES))).toEqual(EXPECTED);
    const flat = { "data.pkl": pickled(STATE), "data/0": NUMBERS, "data/1": f32(7, 8), version: "3\n" };
    expect(await readAll(zip(flat))).toEqual(EXPECTED);
    expect(await readAll(torchZip(STATE, STORAGES, { "net/byteorder": "little" }))).toEqual(EXPECTED);
    expect(await readAll(torchZip(STATE, { ...STORAGES, 0: joined(NUMBERS, [9, 9]) }))).toEqual(EXPECTED);
  });

  const deep = { "a/b/data.pkl": pickled(STATE) };
  const arrays = { "x.npy": "1", "y.npy": "2" };
  const again = "Fetch the file again, or save it with torch.save.";
  test.each<[string, Uint8Array, string]>([
    [
      "of a machine with the other byte order",
      torchZip(STATE, STORAGES, { "net/byteorder": "big" }),
      "zip: the numbers are not little-endian. Save the checkpoint on such a machine.",
    ],
    [
      "without one of its storages",
      torchZip(STATE, { 0: NUMBERS }),
      `zip: there is no storage "net/data/1". ${again}`,
    ],
    [
      "with a storage that is too short",
      torchZip(STATE, { ...STORAGES, 0: NUMBERS.subarray(1) }),
      `zip: storage "net/data/0" has 23 bytes, but 6 elements of f32 take 24. ${again}`,
    ],
    [
      "of a program",
      torchZip(STATE, STORAGES, { "net/constants.pkl": "" }),
      "zip: this is a TorchScript program, expected a state dict. In PyTorch, save torch.jit.load(…).state_dict().",
    ],
    [
      "of no data.pkl at its place",
      zip(deep),
      'zip: this is a zip archive without the data.pkl of torch.save, expected a PyTorch checkpoint. It has 1 entries: "a/b/data.pkl".',
    ],
    [
      "of NumPy",
      zip(arrays),
      'zip: this is a NumPy .npz archive, expected a PyTorch checkpoint. It has 2 entries: "x.npy", "y.npy".',
    ],
    [
      "of many files",
      zip({ ...arrays, 3: "", 4: "" }),
      'zip: this is a zip archive without the data.pkl of torch.save, expected a PyTorch checkpoint. It has 4 entries: "3", "4", "x.npy", "y.npy".',
    ],
    [
      "of more files than are named",
      zip({ ...arrays, 3: "", 4: "", 5: "" }),
      'zip: this is a zip archive without the data.pkl of torch.save, expected a PyTorch checkpoint. It has 5 entries: "3", "4", "5", "x.npy", ….',
    ],
    [
      "that is compressed",
      zip({ "net/data.pkl": "x" }, 8),
      'zip: "net/data.pkl" is compressed, which torch.save never does. Pack it uncompressed, or save it again.',
    ],
  ])("%s is refused", async (_, bytes, message) => {
    expect(await messageOf(openCheckpoint(bytes))).toBe(message);
  });

  test("whose directory points out of the file is refused", async () => {
    const bytes = torchZip(STATE, STORAGES);
    const end = bytes.length - 22;
    const directory = new DataView(bytes.buffer).getUint32(end + 16, true);
    const changed = (at: number, value: number) => {
      const copy = bytes.slice();
      new DataView(copy.buffer).setUint32(at, value, true);
      return messageOf(openCheckpoint(copy));
    };
    const damaged =
      /^zip: \d+ bytes at \d+ are outside of the file's \d+\. The file is truncated or damaged: fetch it again\.$/;
    expect(await changed(end + 16, 2 ** 31)).toMatch(damaged);
    expect(await changed(directory + 42, bytes.length)).toMatch(damaged);
  });

  test("fails as the medium does", async () => {
    const bytes = torchZip(STATE, STORAGES);
    const broken = (from: number, to: number) => ({
      size: bytes.length,
      seekable: true,
      async read(offset: number, length: number) {
        if (offset >= from && offset < to) throw new Error("the cable was cut");
        return bytes.slice(offset, offset + length);
      },
      close: async () => {},
    });
    await expect(openCheckpoint(broken(1, bytes.length))).rejects.toThrow(/^the cable was cut$/);
    const { tensors } = await openCheckpoint(broken(0, 0));
    expect((await tensors.get("b")!.read()).data).toEqual(Float32Array.of(7, 8));
  });
});

describe("a legacy file of torch.save", () => {
  test("is read, and parts of a storage with it", async () => {
    expect(await readAll(torchLegacy(STATE, STORAGES))).toEqual(EXPECTED);
    const views = state({
      all: tensorIn("0", 6),
      first: tensorIn("0", 6, { shape: [2], part: ["p", 0, 2] }),
      last: tensorIn("0", 6, { shape: [2], part: ["q", 4, 2] }),
      none: tensorIn("0", 6, { shape: [0], part: ["r", 6, 0] }),
      whole: tensorIn("0", 6, { part: null }),
    });
    expect(await readAll(torchLegacy(views, { 0: NUMBERS }))).toEqual({
      all: [1, 2, 3, 4, 5, 6],
      first: [1, 2],
      last: [5, 6],
      none: [],
      whole: [1, 2, 3, 4, 5, 6],
    });
    expect(await readAll(torchLegacy(STATE, STORAGES, { machine: null }))).toEqual(EXPECTED);
  });

  const view = (part: unknown) =>
    torchLegacy(state({ a: tensorIn("0", 6, { shape: [1], part }) }), { 0: NUMBERS });
  const again = "Fetch the file again, or save it with torch.save.";
  const outside = `a part of storage "0" lies outside of its 6 elements. ${again}`;
  const file = torchLegacy(STATE, STORAGES);
  const lost = state({ ...Object.fromEntries(STATE), c: tensorIn("2", 1) });
  test.each<[string, Uint8Array, string]>([
    [
      "of another protocol",
      torchLegacy(STATE, STORAGES, { protocol: 1002 }),
      `the protocol is the number 1002, not 1001. ${again}`,
    ],
    [
      "of a machine with the other byte order",
      torchLegacy(STATE, STORAGES, { machine: new Map([["little_endian", false]]) }),
      "the numbers are not little-endian. Save the checkpoint on such a machine.",
    ],
    [
      "with a storage before its object",
      torchLegacy(STATE, STORAGES, { machine: new Persistent(1) }),
      `a pickle before the object's has a persistent id. ${again}`,
    ],
    [
      "without a list of storages",
      torchLegacy(STATE, STORAGES, { keys: new Map() }),
      `a dict is where the list of storages belongs. ${again}`,
    ],
    [
      "with a storage of two lengths",
      torchLegacy(state({ a: tensorIn("0", 6), b: tensorIn("0", 5) }), { 0: NUMBERS }),
      `storage "0" is 5 elements of f32, and before was 6 of f32. ${again}`,
    ],
    [
      "with a storage of two types",
      torchLegacy(state({ a: tensorIn("0", 6), b: tensorIn("0", 6, { type: "IntStorage" }) }), {
        0: NUMBERS,
      }),
      `storage "0" is 6 elements of i32, and before was 6 of f32. ${again}`,
    ],
    ["with a part that begins before its storage", view(["p", -1, 2]), outside],
    ["with a part of fewer than no elements", view(["p", 2, -1]), outside],
    ["with a part that ends behind its storage", view(["p", 5, 2]), outside],
    ["with a part that is no tuple", view("p"), outside],
    [
      "with a storage that comes twice",
      torchLegacy(STATE, STORAGES, { keys: ["0", "0"] }),
      `the string "0" is among the storages twice. ${again}`,
    ],
    [
      "with a storage that is nobody's",
      torchLegacy(STATE, STORAGES, { keys: ["0", "9"] }),
      `the string "9" is among the storages, but no tensor that is read has it. ${again}`,
    ],
    ["with a storage that is lost", torchLegacy(lost, STORAGES), `storage "2" is not in the file. ${again}`],
    [
      "with a storage of another length than its tensors'",
      torchLegacy(state({ a: tensorIn("0", 5) }), { 0: NUMBERS }),
      `storage the string "0" has 6 elements, but its tensors say 5. ${again}`,
    ],
    [
      "that ends before a storage",
      file.subarray(0, -9),
      `the file ends at byte ${file.length - 9}, before storage the string "1". ${again}`,
    ],
    [
      "that ends within a storage",
      file.subarray(0, -1),
      `the file has ${file.length - 1} bytes, but storage the string "1" ends at ${file.length}. ${again}`,
    ],
  ])("%s is refused", async (_, bytes, message) => {
    expect(await messageOf(openCheckpoint(bytes))).toBe(`PyTorch file: ${message}`);
  });

  test("that has shrunk since it was opened", async () => {
    let length = file.length;
    const { tensors } = await openCheckpoint({
      size: file.length,
      seekable: true,
      read: async (offset: number, count: number) => file.slice(offset, Math.min(offset + count, length)),
      close: async () => {},
    });
    length -= 3;
    expect(await messageOf(tensors.get("b")!.read())).toBe(
      `PyTorch file: storage "1" has 5 bytes left of 8. ${again}`,
    );
    length += 3;
    // A reading that failed is tried again.
    expect((await tensors.get("b")!.read()).data).toEqual(Float32Array.of(7, 8));
  });

  test("gives tensors in the order of their storages", async () => {
    const swapped = state({ b: tensorIn("1", 2), a: tensorIn("0", 6) });
    const { tensors } = await openCheckpoint(torchLegacy(swapped, STORAGES));
    expect([...tensors.keys()]).toEqual(["b", "a"]);
    expect(tensors.get("b")!.position! - tensors.get("a")!.position!).toBe(NUMBERS.length + 8);
  });
});

describe("what a state dict is made of", () => {
  const read = (value: unknown) => readAll(torchZip(value, STORAGES));
  const a = tensorIn("0", 6);
  const parts = (args: readonly unknown[]) => new Name("torch._utils._rebuild_parameter", args);
  const unknown = new Persistent(["storage", new Name("torch.ComplexFloatStorage"), "1", "cpu", 1]);
  const complex = new Name("torch._utils._rebuild_tensor_v2", [unknown, 0, [1], [1]]);

  test.each<[string, unknown]>([
    ["an ordered dict of pairs", new Name("collections.OrderedDict", [[["a", a]]])],
    ["a dict of a dict", new Name("builtins.dict", [new Map([["a", a]])])],
    ["a parameter", new Map([["a", parts([a, true])]])],
    ["a parameter with state", new Map([["a", new Name("torch._utils._rebuild_parameter_with_state", [a])]])],
    [
      "a tensor of a derived class",
      new Map([
        [
          "a",
          new Name("torch._tensor._rebuild_from_type_v2", [
            new Name("torch._utils._rebuild_tensor_v2"),
            new Name("x.Derived"),
            a.args,
            new Map(),
          ]),
        ],
      ]),
    ],
    [
      "a shape that is a torch.Size",
      new Map([
        ["a", new Name("torch._utils._rebuild_tensor", [a.args![0], 0, new Name("torch.Size", [[6]]), [1]])],
      ]),
    ],
    [
      "beside tensors of types that are not read",
      new Map<string, unknown>([
        ["a", a],
        ["z", complex],
        ["p", parts([complex])],
        ["m", new Persistent(["module", new Name("x.Net"), "net.py", "source"])],
        ["t", new Name("torch._tensor._rebuild_from_type_v2", [new Name("x.make"), new Name("x.T"), []])],
      ]),
    ],
  ])("%s", async (_, value) => {
    expect(await read(value)).toEqual({ a: [1, 2, 3, 4, 5, 6] });
  });

  test.each<[unknown, string]>([
    [new Name("collections.OrderedDict", [5]), "a dict is made of the number 5, not of pairs"],
    [new Name("collections.OrderedDict", [[["a"]]]), "a dict is made of a list, not of pairs"],
    [new Name("collections.OrderedDict", [["ab"]]), "a dict is made of a list, not of pairs"],
    [parts([5]), "a parameter is made of the number 5, not of a tensor"],
    [
      new Name("torch._utils._rebuild_tensor", [5, 0, [], []]),
      "a tensor is made of the number 5, not of a storage",
    ],
    [
      new Name("torch._utils._rebuild_tensor", [null, 0, [], []]),
      "a tensor is made of None, not of a storage",
    ],
    [
      new Persistent(["storage", new Name("x.FloatStorage"), "0", "cpu", 6]),
      "a persistent id is not that of a storage",
    ],
  ])("%o is refused", async (value, message) => {
    expect(await messageOf(read(value))).toBe(`pickle: ${message}. Fetch the file again.`);
  });
});

test("i64 values of a storage", async () => {
  const counter = state({ n: tensorIn("0", 1, { type: "LongStorage", shape: [], strides: [] }) });
  const { tensors } = await openCheckpoint(torchZip(counter, { 0: i64(-7) }));
  expect(await tensors.get("n")!.read()).toEqual({ dtype: "i64", shape: [], data: BigInt64Array.of(-7n) });
});
