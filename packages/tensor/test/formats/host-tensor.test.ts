import {
  type HostDType,
  type HostTensor,
  hostTensor,
  openSafetensors,
  readSafetensors,
  toBigInt64,
  toBytes,
  toFloat32,
  toInt32,
  type Writable,
  writeNpy,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { describe, expect, test } from "vitest";
import { messageOf } from "./arbitrary.ts";

describe("conversions", () => {
  const one = (dtype: HostDType, data: HostTensor["data"]) =>
    ({ dtype, shape: [data.length], data }) as HostTensor;
  const integers: [HostTensor, number][] = [
    [one("u8", Uint8Array.of(255)), 255],
    [one("i8", Int8Array.of(-128)), -128],
    [one("u16", Uint16Array.of(65535)), 65535],
    [one("i16", Int16Array.of(-32768)), -32768],
    [one("i32", Int32Array.of(-7)), -7],
    [one("u32", Uint32Array.of(2 ** 31 - 1)), 2 ** 31 - 1],
    [one("i64", BigInt64Array.of(-(2n ** 31n))), -(2 ** 31)],
    [one("u64", BigUint64Array.of(2n ** 24n)), 2 ** 24],
    [one("bool", Uint8Array.of(3)), 1],
  ];
  test.each(integers)("$0.dtype to float32, int32 and int64", (tensor, value) => {
    expect(toFloat32(tensor)).toEqual(Float32Array.of(value));
    expect(toInt32(tensor)).toEqual(Int32Array.of(value));
    expect(toBigInt64(tensor)).toEqual(BigInt64Array.of(BigInt(value)));
  });

  test.each<[HostTensor, number]>([
    [one("f64", Float64Array.of(1.1)), Math.fround(1.1)],
    [one("f16", Uint16Array.of(0xc100)), -2.5],
    [one("bf16", Uint16Array.of(0xc020)), -2.5],
  ])("$0.dtype to float32, and to no integers", (tensor, value) => {
    expect(toFloat32(tensor)).toEqual(Float32Array.of(value));
    expect(() => toInt32(tensor)).toThrow(
      `toInt32: the tensor is ${tensor.dtype}, not integers that i32 could hold. Read it as float32.`,
    );
    expect(() => toBigInt64(tensor)).toThrow(
      `toBigInt64: the tensor is ${tensor.dtype}, not integers that i64 could hold. Read it as float32.`,
    );
  });

  test("of int64 leave alone what is so already", () => {
    const labels = one("i64", BigInt64Array.of(1n));
    expect(toBigInt64(labels)).toBe(labels.data);
  });

  test("refuse the first value that does not fit", () => {
    expect(() => toInt32(one("u32", Uint32Array.of(1, 2 ** 31, 2 ** 32 - 1)))).toThrow(
      "toInt32: the tensor has 2147483648 at element 1, which i32 cannot hold. Read it as a wider type.",
    );
    expect(() => toInt32(one("i64", BigInt64Array.of(-(2n ** 31n) - 1n)))).toThrow(
      "has -2147483649 at element 0, which i32 cannot hold.",
    );
    expect(() => toBigInt64(one("u64", BigUint64Array.of(2n ** 63n - 1n, 2n ** 63n)))).toThrow(
      "toBigInt64: the tensor has 9223372036854775808 at element 1, which i64 cannot hold.",
    );
  });
});

test("bytes are seen as elements where they are aligned, else copied", () => {
  const bytes = Uint8Array.of(0, 0, 1, 0, 2, 0);
  const aligned = hostTensor("u16", [2], bytes.subarray(2));
  expect([aligned.data.buffer, aligned.data.byteOffset]).toEqual([bytes.buffer, 2]);
  expect(aligned.data).toEqual(Uint16Array.of(1, 2));
  const odd = hostTensor("u16", [2], bytes.subarray(1, 5));
  expect(odd.data).toEqual(Uint16Array.of(256, 512));
  expect(odd.data.buffer).not.toBe(bytes.buffer);
});

describe("what is written", () => {
  const floats = (shape: number[], count: number): Writable => ({
    dtype: "f32",
    shape,
    data: new Float32Array(count),
  });
  const ones = (count: number) => Array<number>(count).fill(1);
  const messages = (write: (tensor: Writable) => AsyncIterable<Uint8Array>, tensor: Writable) =>
    toBytes(write(tensor)).then(() => "written", String);
  const asSafetensors = (tensor: Writable) => writeSafetensors({ w: tensor });

  test.each<[string, Writable]>([
    ["has 65 axes, more than 64.", floats(ones(65), 1)],
    ["has an axis of size 1.5 in [2,1.5], not a non-negative integer.", floats([2, 1.5], 3)],
    ["has an axis of size -1 in [-1,0], not a non-negative integer.", floats([-1, 0], 0)],
    ["has an axis of size NaN in [NaN], not a non-negative integer.", floats([Number.NaN], 0)],
    ["has shape [2], 2 elements, but its data has 3.", floats([2], 3)],
    ["has shape [], 1 elements, but its data has 0.", floats([], 0)],
    ["has shape [0,5], 0 elements, but its data has 5.", floats([0, 5], 5)],
  ])("%s", async (message, tensor) => {
    expect(await messages(asSafetensors, tensor)).toBe(`ShapeError: safetensors: "w" ${message}`);
    expect(await messages(writeNpy, tensor)).toBe(`ShapeError: npy: the array ${message}`);
  });

  test("may have 64 axes", async () => {
    const tensor = floats(ones(64), 1);
    const found = await readSafetensors(await toBytes(asSafetensors(tensor)));
    expect(found.get("w")).toEqual(tensor);
    expect(await messages(writeNpy, tensor)).toBe("written");
  });

  test("is of the type that it claims", async () => {
    const wrong: Writable = { dtype: "bf16", shape: [1], data: Float64Array.of(1) };
    expect(await messages(writeNpy, { ...wrong, dtype: "f16" })).toBe(
      "FormatError: npy: the array is f16, kept in a Uint16Array, but its data is a Float64Array. Convert it, or name its own dtype.",
    );
    expect(await messages(asSafetensors, wrong)).toContain('"w" is bf16, kept in a Uint16Array, but');
    expect(await messages(asSafetensors, { ...wrong, dtype: "f64" })).toBe("written");
  });

  test("has a name of at most 80 characters in a message", async () => {
    const shown = (name: string) =>
      messages((tensor) => writeSafetensors({ [name]: tensor }), floats([2], 3));
    expect(await shown("n".repeat(80))).toContain(`safetensors: "${"n".repeat(80)}" has`);
    expect(await shown("n".repeat(81))).toContain(`safetensors: "${"n".repeat(80)}…" has`);
  });

  test("has metadata under names of their own", async () => {
    const pairs = [
      ["epoch", "1"],
      ["epoch", "2"],
    ] as const;
    expect(await messageOf(toBytes(writeSafetensors({}, pairs)))).toBe(
      'safetensors: the name "epoch" is taken when it comes again, as entry 1. Give each its own.',
    );
    const bytes = await toBytes(writeSafetensors(new Map(), new Map(pairs)));
    expect([...(await openSafetensors(bytes)).metadata]).toEqual([["epoch", "2"]]);
  });

  test("has no __metadata__ where there is none", async () => {
    expect(new TextDecoder().decode((await toBytes(writeSafetensors({}))).subarray(8))).toBe("{}      ");
  });
});
