import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../src/checkpoints/index.ts";
import { joined, messageOf } from "./files.ts";

const WEIGHT = { name: "conv/kernel", shape: [2], dtype: "float32" };

const file = (model: unknown) => joined(new TextEncoder().encode(JSON.stringify(model)));
const group = (changes: object) =>
  file({ weightsManifest: [{ paths: ["a.bin"], weights: [WEIGHT], ...changes }] });
const weight = (changes: object) => group({ weights: [{ ...WEIGHT, ...changes }] });
const quantized = (quantization: unknown, changes: object = {}) => weight({ quantization, ...changes });

const AGAIN = "Fetch the file again, or convert the model again.";
const KINDS = "Only float32 as float16, uint8 or uint16 is read.";

describe("a manifest is refused", () => {
  test.each<[string, Uint8Array]>([
    [
      "there is no weightsManifest among its fields. Expected the model.json of a TensorFlow.js layers model.",
      file({}),
    ],
    [
      'there is no weightsManifest among "0", "1", "2", "3", "4", "5", "6", "7". Expected the model.json of a TensorFlow.js layers model.',
      file(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [i, i]))),
    ],
    [
      "this is a graph model, whose weights have no layers' names. Expected a layers model.",
      file({ format: "graph-model", weightsManifest: [] }),
    ],
    [`weightsManifest is no list. ${AGAIN}`, file({ weightsManifest: {} })],
    [`a group of weightsManifest is no object. ${AGAIN}`, file({ weightsManifest: [[]] })],
    [`paths is no list. ${AGAIN}`, group({ paths: "a.bin" })],
    [`weights is no list. ${AGAIN}`, group({ weights: null })],
    [`"5" is no path of a file beside it. ${AGAIN}`, group({ paths: [5] })],
    [`a weight is no object. ${AGAIN}`, group({ weights: ["a"] })],
    [`a weight has no name. ${AGAIN}`, weight({ name: 5 })],
    [`the shape of "conv/kernel" is no list. ${AGAIN}`, weight({ shape: 5 })],
    [`"conv/kernel" has shape [1.5], not whole numbers ≥ 0 of some size. ${AGAIN}`, weight({ shape: [1.5] })],
    [
      `"conv/kernel" has shape [1125899906842624], not whole numbers ≥ 0 of some size. ${AGAIN}`,
      weight({ shape: [2 ** 50] }),
    ],
    [
      `"conv/kernel" has dtype "undefined", not one of float32 float16 int32 uint8 uint16 bool. ${AGAIN}`,
      weight({ dtype: undefined }),
    ],
    [`"conv/kernel" comes twice. ${AGAIN}`, group({ weights: [WEIGHT, WEIGHT] })],
    [`the quantization of "conv/kernel" is no object. ${AGAIN}`, quantized("uint8")],
    [`"conv/kernel" has dtype "int8", not one of`, quantized({ dtype: "int8" })],
    [`"conv/kernel" is f32 quantized as float32. ${KINDS}`, quantized({ dtype: "float32" })],
    [`"conv/kernel" is f32 quantized as bool. ${KINDS}`, quantized({ dtype: "bool" })],
    [`"conv/kernel" is i32 quantized as uint8. ${KINDS}`, quantized({ dtype: "uint8" }, { dtype: "int32" })],
    [
      `"conv/kernel" is f32 quantized as uint8. ${KINDS}`,
      quantized({ dtype: "uint8", original_dtype: "int32" }),
    ],
    [`"conv/kernel" has scale x and min 0, not numbers. ${AGAIN}`, quantized({ dtype: "uint8", scale: "x" })],
    [
      `"conv/kernel" has scale 1 and min null, not numbers. ${AGAIN}`,
      quantized({ dtype: "uint8", min: null }),
    ],
  ])("%s", async (message, bytes) => {
    expect(await messageOf(openCheckpoint(bytes))).toContain(`model.json: ${message}`);
  });

  test("that is no object", async () => {
    // A list does not begin as a model does.
    expect(await messageOf(openCheckpoint(file([])))).toContain('a text file, "[]"');
  });
});

describe("a manifest is read", () => {
  test("of shapes below two to the fiftieth, and of none", async () => {
    const { tensors } = await openCheckpoint(
      group({
        weights: [
          { name: "large", shape: [2 ** 25, 2 ** 25 - 1], dtype: "uint8" },
          { name: "empty", shape: [0, 2 ** 53 - 1], dtype: "uint16" },
          { name: "half", shape: [], dtype: "float16" },
        ],
      }),
    );
    expect([...tensors].map(([name, { dtype, shape }]) => [name, dtype, ...shape])).toEqual([
      ["large", "u8", 2 ** 25, 2 ** 25 - 1],
      ["empty", "u16", 0, 2 ** 53 - 1],
      ["half", "f16"],
    ]);
  });

  test("with sixteen shards, and one for each further 64 KiB", async () => {
    const shards = (count: number, elements: number) =>
      openCheckpoint(
        group({
          paths: Array.from({ length: count }, (_, i) => `${i}.bin`),
          weights: [{ name: "a", shape: [elements], dtype: "uint8" }],
        }),
      );
    expect((await shards(16, 0)).tensors.size).toBe(1);
    expect(await messageOf(shards(17, 65535))).toContain("it has 17 shards for 65535 bytes of weights");
    expect((await shards(17, 65536)).tensors.size).toBe(1);
    expect(await messageOf(shards(18, 65536))).toContain("it has 18 shards for 65536 bytes of weights");
  });

  test("of several groups, each with files of its own", async () => {
    const groups = ["a", "b"].map((name) => ({
      paths: [`${name}.bin`],
      weights: [
        { name: `${name}/1`, shape: [1], dtype: "uint8" },
        { name: `${name}/2`, shape: [2], dtype: "uint8", quantization: null },
      ],
    }));
    const { tensors } = await openCheckpoint([
      new File([file({ weightsManifest: groups })], "model.json"),
      new File([Uint8Array.of(1, 2, 3)], "a.bin"),
      new File([Uint8Array.of(4, 5, 6)], "b.bin"),
    ]);
    const numbers = [...tensors.values()].map(async (x) => [...((await x.read()).data as Uint8Array)]);
    expect(await Promise.all(numbers)).toEqual([[1], [2, 3], [4], [5, 6]]);
  });

  test("with quantized numbers, whose scale is 1 and whose least is 0 where nothing is said", async () => {
    const weights = [
      { ...WEIGHT, name: "a", quantization: { dtype: "uint8" } },
      { ...WEIGHT, name: "b", quantization: { dtype: "uint8", scale: 2, min: -1, original_dtype: null } },
      // Halves are stored as what they are.
      { ...WEIGHT, name: "c", quantization: { dtype: "float16", scale: 2, min: -1 } },
    ];
    const { tensors } = await openCheckpoint([
      new File([file({ weightsManifest: [{ paths: ["w"], weights }] })], "model.json"),
      new File([joined([1, 255], [1, 255], [0, 0x3c, 0, 0xc0])], "w"),
    ]);
    const numbers = [...tensors.values()].map(async (x) => [...((await x.read()).data as Float32Array)]);
    expect(await Promise.all(numbers)).toEqual([
      [1, 255],
      [1, 509],
      [1, -2],
    ]);
  });

  test("with notes that are strings", async () => {
    const notes = { format: "layers-model", generatedBy: 5, convertedBy: "x", other: "y" };
    const { metadata } = await openCheckpoint(file({ ...notes, weightsManifest: [] }));
    expect([...metadata]).toEqual([
      ["format", "layers-model"],
      ["convertedBy", "x"],
    ]);
  });

  test("with the epsilon of a layer for its variance alone", async () => {
    const layers = ["bn", "m/bn2"].map((name) => ({
      class_name: "BatchNormalization",
      config: { name, epsilon: 0.5 },
    }));
    const names = [
      ...["bn/moving_variance", "model/bn/moving_variance", "m/bn2/moving_variance"],
      ...["bn/moving_mean", "bn/moving_variance/x", "bn/moving_variances", "moving_variance"],
      ...["other/moving_variance", "bn2/moving_variance"],
    ];
    const { tensors } = await openCheckpoint(
      file({
        modelTopology: { config: layers },
        weightsManifest: [{ paths: [], weights: names.map((name) => ({ ...WEIGHT, name })) }],
      }),
    );
    const epsilons = [...tensors].filter(([, { epsilon }]) => epsilon !== undefined);
    expect(epsilons.map(([name, { epsilon }]) => [name, epsilon])).toEqual(
      names.slice(0, 3).map((name) => [name, 0.5]),
    );
  });
});
