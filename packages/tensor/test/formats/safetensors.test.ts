import {
  type HostTensor,
  openSafetensors,
  readSafetensors,
  toBytes,
  toFloat32,
  toInt32,
  type Writable,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { arbitraryCuts, arbitraryTensor, bytesOf, chunked, messageOf, safetensorsFile } from "./arbitrary.ts";

vi.setConfig({ testTimeout: 60_000 });

const f32 = (shape: number[], ...values: number[]): HostTensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});
const name = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("__proto__", "constructor", "toString", "1", ""),
  )
  .filter((n) => n !== "__metadata__");

async function contents(tensors: Iterable<readonly [string, HostTensor]>) {
  return new Map(
    [...tensors].map(([key, { dtype, shape, data }]) => [key, { dtype, shape, bytes: [...bytesOf(data)] }]),
  );
}

test("an empty tensor may be listed after a full one that begins where it does", async () => {
  const entry = (shape: number[], start: number, end: number) => ({
    dtype: "U8",
    shape,
    data_offsets: [start, end],
  });
  const file = safetensorsFile(
    { full: entry([2], 0, 2), before: entry([0], 0, 0), after: entry([3, 0], 2, 2) },
    2,
  );
  const found = await readSafetensors(file);
  expect([...found].map(([key, { shape, data }]) => [key, shape, data.length])).toEqual([
    ["before", [0], 0],
    ["full", [2], 2],
    ["after", [3, 0], 0],
  ]);
});

describe("round trips", () => {
  test("any tensors, names and metadata, from bytes, a Blob and a stream cut anywhere", async () => {
    const named = <T>(value: fc.Arbitrary<T>) =>
      fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        named(arbitraryTensor()),
        named(fc.string({ unit: "binary" })),
        arbitraryCuts,
        async (tensors, metadata, cuts) => {
          const bytes = await toBytes(writeSafetensors(tensors, metadata));
          const wanted = await contents(tensors);
          for (const input of [bytes, new Blob([bytes]), chunked(bytes, cuts)]) {
            expect(await contents(await readSafetensors(input))).toEqual(wanted);
          }
          expect((await openSafetensors(bytes)).metadata).toEqual(new Map(metadata));
        },
      ),
    );
  });

  test("names that end in a backslash, or have quotes", async () => {
    const names = ["\\", "a\\", "a\\\\", '\\"', '"', '"\\', "\\u0041"];
    const tensors = names.map((name, i) => [name, f32([1], i)] as const);
    const bytes = await toBytes(writeSafetensors(tensors, { "\\": 'ends in "\\' }));
    expect(await contents(await readSafetensors(bytes))).toEqual(await contents(tensors));
    expect((await openSafetensors(bytes)).metadata).toEqual(new Map([["\\", 'ends in "\\']]));
  });

  test("empty tensors, listed before and after full ones", async () => {
    const range = (start: number, end: number) =>
      `{"dtype":"F32","shape":[${(end - start) / 4}],"data_offsets":[${start},${end}]}`;
    const data = bytesOf(Float32Array.of(1, 2));
    const listed = {
      full: [0, 4],
      "empty at 0": [0, 0],
      last: [4, 8],
      "empty at 4": [4, 4],
      "empty at 8": [8, 8],
    };
    for (const entries of [Object.entries(listed), Object.entries(listed).reverse()]) {
      const header = entries.map(([name, [start, end]]) => `"${name}":${range(start!, end!)}`).join();
      const found = await readSafetensors(safetensorsFile(`{${header}}`, data));
      const numbers = Object.fromEntries([...found].map(([name, { data }]) => [name, [...data]]));
      expect(numbers).toEqual({ full: [1], "empty at 0": [], last: [2], "empty at 4": [], "empty at 8": [] });
    }
  });

  test("bytes that begin at an odd address", async () => {
    const bytes = await toBytes(writeSafetensors({ w: f32([2], 1, 2) }));
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect((await readSafetensors(shifted.subarray(1))).get("w")?.data).toEqual(Float32Array.of(1, 2));
  });

  test("aligned data is a view of the caller's bytes, not a copy", async () => {
    const bytes = await toBytes(writeSafetensors({ w: f32([2], 1, 2) }));
    expect((await readSafetensors(bytes)).get("w")?.data.buffer).toBe(bytes.buffer);
  });
});

describe("writing", () => {
  test("wider elements go first, else the order is kept, and the data begins at a multiple of 8", async () => {
    const u8: HostTensor = { dtype: "u8", shape: [3], data: Uint8Array.of(1, 2, 3) };
    const i64: HostTensor = { dtype: "i64", shape: [], data: BigInt64Array.of(-1n) };
    const bytes = await toBytes(writeSafetensors({ odd: u8, z: f32([1], 1), a: f32([1], 2), long: i64 }));
    expect([...(await openSafetensors(bytes)).entries.keys()]).toEqual(["long", "z", "a", "odd"]);
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
  });

  test("the bytes are the format's", async () => {
    const bytes = await toBytes(writeSafetensors({ w: f32([1, 2], 1, -2) }, { format: "pt" }));
    const header =
      `{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}`.padEnd(88);
    expect(bytes).toEqual(safetensorsFile(header, bytesOf(Float32Array.of(1, -2))));
  });

  test("data given as a function is asked for one at a time, with its tensor as this", async () => {
    let alive = 0;
    class Lazy implements Writable {
      readonly dtype = "f32";
      readonly shape = [2];
      async data() {
        alive++;
        return Float32Array.of(this.shape[0]!, alive);
      }
    }
    const chunks = writeSafetensors(
      new Map([
        ["a", new Lazy()],
        ["b", new Lazy()],
      ]),
    );
    await chunks.next();
    expect(alive).toBe(0);
    await chunks.next();
    expect(alive).toBe(1);
  });

  test("float32 data is rounded for a 16-bit type", async () => {
    const data = Float32Array.of(1, 1 + 2 ** -11, 65520);
    const file = await openSafetensors(
      await toBytes(
        writeSafetensors({ h: { dtype: "f16", shape: [3], data }, b: { dtype: "bf16", shape: [3], data } }),
      ),
    );
    expect([...(await file.get("h").float32())]).toEqual([1, 1, Infinity]);
    expect([...(await file.get("b").float32())]).toEqual([1, 1, 65536]);
  });

  test.each<[string, () => AsyncIterable<Uint8Array>]>([
    [
      'ShapeError: safetensors: "w" has shape [2,3], 6 elements, but its data has 5.',
      () => writeSafetensors({ w: f32([2, 3], 1, 2, 3, 4, 5) }),
    ],
    [
      'ShapeError: safetensors: "w" has an axis of size -1 in [-1], not a non-negative integer.',
      () => writeSafetensors({ w: f32([-1]) }),
    ],
    [
      'FormatError: safetensors: "w" is i32, kept in a Int32Array, but its data is a Float32Array. Convert it, or name its own dtype.',
      () => writeSafetensors({ w: { dtype: "i32", shape: [1], data: Float32Array.of(1) } }),
    ],
    [
      'FormatError: safetensors: the name "w" is taken when it comes again, as entry 1. Give each its own.',
      () =>
        writeSafetensors([
          ["w", f32([0])],
          ["w", f32([0])],
        ]),
    ],
    [
      'FormatError: safetensors: a tensor has the name "__metadata__", which the format keeps for strings. Name it otherwise.',
      () => writeSafetensors({ __metadata__: f32([0]) }),
    ],
    [
      'FormatError: safetensors: the metadata "epoch" is a number, not a string. Write String(…) or JSON of it.',
      () => writeSafetensors({}, { epoch: 3 as unknown as string }),
    ],
  ])("%s", async (message, write) => {
    await expect(toBytes(write()).catch(String)).resolves.toBe(message);
  });
});

describe("reading", () => {
  const file = () => toBytes(writeSafetensors({ a: f32([2], 1, 2), b: f32([2], 3, 4), c: f32([1], 5) }));

  test("tensors skipped on a stream are passed over", async () => {
    const found: number[] = [];
    for await (const [key, entry] of await openSafetensors(chunked(await file(), [9, 90, 60]))) {
      if (key !== "b") found.push(...(await entry.float32()));
    }
    expect(found).toEqual([1, 2, 5]);
  });

  test("a stream cannot go back", async () => {
    const opened = await openSafetensors(chunked(await file(), [50]));
    await opened.get("b").bytes();
    await expect(opened.get("a").bytes()).rejects.toThrow(
      /^source: byte 176 was asked for, but the stream is past it, at byte 192\. Read in file order/,
    );
  });

  test("reads that are asked for together wait for each other", async () => {
    const opened = await openSafetensors(chunked(await file(), [50, 40, 90, 4]));
    const all = await Promise.all(["a", "b", "c"].map((key) => opened.get(key).float32()));
    expect(all.map((values) => [...values])).toEqual([[1, 2], [3, 4], [5]]);
  });

  test("a name that is not there", async () => {
    expect(await messageOf(openSafetensors(await file()).then((opened) => opened.get("d")))).toBe(
      `safetensors: there is no "d" among the 3 tensors of the file. It has "a", "b", "c".`,
    );
  });

  test("integers of any width, checked", async () => {
    const opened = await openSafetensors(
      await toBytes(
        writeSafetensors({
          labels: { dtype: "i64", shape: [3], data: BigInt64Array.of(-1n, 0n, 2147483647n) },
          large: { dtype: "i64", shape: [2], data: BigInt64Array.of(1n, 2n ** 40n) },
          unsigned: { dtype: "u64", shape: [1], data: BigUint64Array.of(2n ** 63n) },
          bytes: { dtype: "u8", shape: [2], data: Uint8Array.of(0, 255) },
          mask: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 2) },
          w: f32([1], 1),
        }),
      ),
    );
    expect([...(await opened.get("labels").int32())]).toEqual([-1, 0, 2147483647]);
    expect([...(await opened.get("labels").float32())]).toEqual([-1, 0, 2147483648]);
    expect([...(await opened.get("large").bigInt64())]).toEqual([1n, 2n ** 40n]);
    expect([...(await opened.get("bytes").int32())]).toEqual([0, 255]);
    expect([...(await opened.get("mask").int32())]).toEqual([0, 1]);
    expect([...(await opened.get("mask").float32())]).toEqual([0, 1]);
    expect(await messageOf(opened.get("large").int32())).toBe(
      `safetensors: "large" has 1099511627776 at element 1, which i32 cannot hold. Read it as a wider type.`,
    );
    expect(await messageOf(opened.get("unsigned").bigInt64())).toBe(
      `safetensors: "unsigned" has 9223372036854775808 at element 0, which i64 cannot hold. Read it as a wider type.`,
    );
    expect(await messageOf(opened.get("w").int32())).toBe(
      `safetensors: "w" is f32, not integers that i32 could hold. Read it as float32.`,
    );
  });

  test("conversions to float32 and int32 leave alone what is so already", () => {
    const w = f32([1], 1);
    const labels: HostTensor = { dtype: "i32", shape: [1], data: Int32Array.of(1) };
    expect(toFloat32(w)).toBe(w.data);
    expect(toInt32(labels)).toBe(labels.data);
    expect(toFloat32({ dtype: "f64", shape: [1], data: Float64Array.of(0.1) })).toEqual(Float32Array.of(0.1));
  });

  test("tensors come in the order of their bytes, whatever the header's", async () => {
    const bytes = safetensorsFile(
      {
        b: { dtype: "U8", shape: [1], data_offsets: [1, 2] },
        a: { dtype: "U8", shape: [1], data_offsets: [0, 1] },
      },
      Uint8Array.of(7, 8),
    );
    const found = await readSafetensors(chunked(bytes, [3]));
    expect([...found].map(([key, { data }]) => [key, data[0]])).toEqual([
      ["a", 7],
      ["b", 8],
    ]);
  });

  test("escapes and white space in the header", async () => {
    const header =
      ' { "a\\"\\\\\\u00e9" :\n{"shape" :[ ],\t"data_offsets":[0 , 1],"dtype":"BOOL"} } \n'.slice(1);
    expect([...(await readSafetensors(safetensorsFile(header, 1))).keys()]).toEqual(['a"\\é']);
  });
});
