import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspectCheckpoint, openCheckpoint } from "../../src/checkpoints/index.ts";
import { joined, messageOf, orFormatError } from "./files.ts";

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

const floats = Float32Array.from({ length: 10 }, (_, i) => i / 4);
const data = joined(
  bytesOf(floats.subarray(0, 6)),
  bytesOf(Int32Array.of(-1, 2)),
  [0, 128, 255],
  bytesOf(Uint16Array.of(0, 65535)),
  bytesOf(Uint16Array.of(0x3c00, 0xc000)),
  [1, 0],
);

const weights = [
  { name: "conv/kernel", shape: [1, 1, 2, 3], dtype: "float32" },
  { name: "steps", shape: [2], dtype: "int32" },
  { name: "bytes", shape: [3], dtype: "float32", quantization: { dtype: "uint8", scale: 0.5, min: -1 } },
  {
    name: "words",
    shape: [2],
    dtype: "float32",
    quantization: { dtype: "uint16", scale: 1, min: 0.5, original_dtype: "float32" },
  },
  {
    name: "halves",
    shape: [2],
    dtype: "float32",
    quantization: { dtype: "float16", original_dtype: "float32" },
  },
  { name: "flags", shape: [2], dtype: "bool" },
];

const manifest = (changes: object = {}) => ({
  format: "layers-model",
  generatedBy: "keras v2.2.4-tf",
  modelTopology: {},
  weightsManifest: [{ paths: ["shard1.bin", "shard2.bin", "more/shard3.bin"], weights }],
  ...changes,
});

/** Shards whose ends fall within tensors. */
function filesOf(model: unknown, bytes = data): File[] {
  const json = typeof model === "string" ? model : JSON.stringify(model);
  return [
    new File([bytes.subarray(0, 5)], "shard1.bin"),
    new File([bytes.subarray(25)], "shard3.bin"),
    new File([json], "model.json", { type: "application/json" }),
    new File([bytes.subarray(5, 25)], "shard2.bin"),
  ];
}

async function readAll(files: readonly File[]) {
  const { tensors, close } = await openCheckpoint(files);
  const found = new Map<string, unknown[]>();
  for (const [name, tensor] of tensors) {
    const { dtype, shape, data } = await tensor.read();
    found.set(name, [dtype, [...shape], [...(data as Float32Array)]]);
  }
  await close();
  return found;
}

test("every type, plain and quantized, across shards", async () => {
  expect(Object.fromEntries(await readAll(filesOf(manifest())))).toEqual({
    "conv/kernel": ["f32", [1, 1, 2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]],
    steps: ["i32", [2], [-1, 2]],
    bytes: ["f32", [3], [-1, 63, 126.5]],
    words: ["f32", [2], [0.5, 65535.5]],
    halves: ["f32", [2], [1, -2]],
    flags: ["bool", [2], [1, 0]],
  });
});

test("in any order", async () => {
  const { tensors } = await openCheckpoint(filesOf(manifest()));
  expect((await tensors.get("flags")!.read()).data).toEqual(Uint8Array.of(1, 0));
  expect((await tensors.get("steps")!.read()).data).toEqual(Int32Array.of(-1, 2));
  const [flags, kernel] = await Promise.all([
    tensors.get("flags")!.read(),
    tensors.get("conv/kernel")!.read(),
  ]);
  expect([flags.data.length, kernel.data.length]).toEqual([2, 6]);
});

test("says what it is before any shard is read", async () => {
  const { format, layout, metadata, tensors } = await inspectCheckpoint(filesOf(manifest())[2]!);
  expect([format, layout, tensors.size]).toEqual(["TensorFlow.js", "engine", weights.length]);
  expect(Object.fromEntries(metadata)).toEqual({ format: "layers-model", generatedBy: "keras v2.2.4-tf" });
});

describe("what does not fit is a FormatError", () => {
  const weight = (changes: object) =>
    manifest({ weightsManifest: [{ paths: ["a.bin"], weights: [{ ...weights[0], ...changes }] }] });
  test.each([
    ["another JSON", { name: "pkg", version: "1" }, 'there is no weightsManifest among "name", "version"'],
    ["a graph model", manifest({ format: "graph-model" }), "this is a graph model"],
    ["broken JSON", '{"a": ', "this is no JSON"],
    ["a manifest that is no list", manifest({ weightsManifest: 5 }), "weightsManifest is no list"],
    [
      "an unknown type",
      weight({ dtype: "complex64" }),
      '"conv/kernel" has dtype "complex64", not one of float32',
    ],
    ["a type that objects have", weight({ dtype: "constructor" }), '"conv/kernel" has dtype "constructor"'],
    [
      "a type that says how it is written",
      weight({ dtype: { toString: "" } }),
      'has dtype "{\\"toString\\":\\"\\"}"',
    ],
    ["a side that does", weight({ shape: [{ valueOf: 1, toString: 1 }] }), "not whole numbers ≥ 0"],
    ["a negative side", weight({ shape: [-1] }), "has shape [-1], not whole numbers ≥ 0"],
    ["more than any memory", weight({ shape: [2 ** 26, 2 ** 26] }), "not whole numbers ≥ 0 of some size"],
    [
      "a quantization that nobody has",
      weight({ quantization: { dtype: "int32" } }),
      "is f32 quantized as int32",
    ],
    [
      "a name that comes twice",
      manifest({ weightsManifest: [{ paths: [], weights: [weights[0], weights[0]] }] }),
      "comes twice",
    ],
    [
      "a path out of the folder",
      manifest({ weightsManifest: [{ paths: ["../../etc/passwd"], weights }] }),
      "is no path of a file beside it",
    ],
    [
      "a path to elsewhere",
      manifest({ weightsManifest: [{ paths: ["https://example.com/a"], weights }] }),
      "is no path of a file beside",
    ],
  ])("%s", async (_, model, message) => {
    expect(await messageOf(openCheckpoint(filesOf(model)))).toContain(message);
  });

  test("shards that are missing, too short, or of nobody knows where", async () => {
    const files = filesOf(manifest());
    expect(await messageOf(readAll(files.slice(1)))).toBe(
      'model.json: its shard "shard1.bin" is not among the 3 files given.',
    );
    expect(await messageOf(readAll(filesOf(manifest(), data.subarray(0, -1))))).toBe(
      'model.json: "flags" takes 2 bytes from byte 43, but its 3 shards end at 44. Fetch the shards again.',
    );
    const { tensors } = await openCheckpoint(await files[2]!.arrayBuffer());
    expect(await messageOf(tensors.get("flags")!.read())).toContain("of bytes nobody knows where");
  });

  test("a model that claims more than its shards", async () => {
    const message = await messageOf(readAll(filesOf(weight({ shape: [2 ** 40] }))));
    expect(message).toContain("is not among the 4 files");
    const claims = manifest({
      weightsManifest: [{ paths: ["shard1.bin"], weights: [{ ...weights[0], shape: [2 ** 40] }] }],
    });
    expect(await messageOf(readAll(filesOf(claims)))).toContain(
      "takes 4398046511104 bytes from byte 0, but its 1 shards end at 5",
    );
  });

  test("random JSON in the place of any field", async () => {
    const field = fc.constantFrom("name", "shape", "dtype", "quantization");
    await fc.assert(
      fc.asyncProperty(field, fc.jsonValue({ maxDepth: 2 }), async (name, value) => {
        await orFormatError(readAll(filesOf(weight({ [name]: value }))));
        await orFormatError(readAll(filesOf(manifest({ weightsManifest: value }))));
      }),
      { numRuns: 300 },
    );
  });
});
