import {
  FormatError,
  openSafetensors,
  readSafetensors,
  toBytes,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { arbitraryCuts, chunked, counting, messageOf, orFormatError, safetensorsFile } from "./arbitrary.ts";

vi.setConfig({ testTimeout: 60_000 });

const u8 = (shape: unknown, ...data_offsets: unknown[]) => ({ dtype: "U8", shape, data_offsets });

const small = () =>
  toBytes(
    writeSafetensors(
      {
        "conv1.weight": { dtype: "f32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
        steps: { dtype: "i64", shape: [], data: BigInt64Array.of(7n) },
        mask: { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) },
      },
      { format: "pt" },
    ),
  );

test.each<[string, Uint8Array]>([
  ["the source has 0 bytes but the length of the header alone takes 8", new Uint8Array()],
  ["the header claims 100000001 bytes but may have 100000000", safetensorsFile("{}", 0, 100_000_001n)],
  [
    "the header claims 18446744073709552000 bytes but may have 100000000",
    safetensorsFile("{}", 0, 2n ** 64n - 1n),
  ],
  ["the header claims 99999999 bytes but 2 follow", safetensorsFile("{}", 0, 99_999_999n)],
  ['the header begins with "", not "{"', safetensorsFile("")],
  ['the header begins with " ", not "{"', safetensorsFile(" {}")],
  ['the header begins with "[", not "{"', safetensorsFile("[]")],
  ["the 3 bytes of the header are not UTF-8", safetensorsFile(Uint8Array.of(0x7b, 0xff, 0x7d))],
  ["the header has its end at character 1, not a string", safetensorsFile("{")],
  ['the header has "x" at character 2, not its end', safetensorsFile("{}x")],
  ['the header has "}" at character 5, not ":"', safetensorsFile('{"a" }')],
  ['the header has "\\"a" at character 1, not a string', safetensorsFile('{"a')],
  ['the header has "\\"\\\\x\\":{}}" at character 1, not a string', safetensorsFile('{"\\x":{}}')],
  [
    'the header has "[[[[[[[[[[[[[[[[" at character 5, not "{"',
    safetensorsFile(`{"a":${"[".repeat(100_000)}`),
  ],
  [
    '"a" has a field "a" beside dtype, shape and data_offsets',
    safetensorsFile(`{"a":${'{"a":'.repeat(100_000)}`),
  ],
  ['the header has "1}}" at character 21, not a string', safetensorsFile('{"__metadata__":{"a":1}}')],
  ['"a" has a field "a" beside dtype, shape and data_offsets', safetensorsFile({ a: { a: 1 } })],
  ['"a" has no dtype', safetensorsFile({ a: { shape: [], data_offsets: [0, 1] } }, 1)],
  ['"a" has no shape', safetensorsFile({ a: { dtype: "U8", data_offsets: [0, 1] } }, 1)],
  ['"a" has no two data_offsets but 0', safetensorsFile({ a: { dtype: "U8", shape: [] } }, 1)],
  ['"a" has no two data_offsets but 1', safetensorsFile({ a: u8([1], 0) }, 1)],
  ['the data_offsets of "a" has more than 2 numbers', safetensorsFile({ a: u8([1], 0, 1, 2) }, 1)],
  [
    '"a" has dtype "F8_E4M3", not one of F64 F32',
    safetensorsFile({ a: { ...u8([1], 0, 1), dtype: "F8_E4M3" } }, 1),
  ],
  [
    '"a" has dtype "toString", not one of F64 F32',
    safetensorsFile({ a: { ...u8([1], 0, 1), dtype: "toString" } }, 1),
  ],
  ['"a" has dtype "u8", not one of F64 F32', safetensorsFile({ a: { ...u8([1], 0, 1), dtype: "u8" } }, 1)],
  [
    'the shape of "a" has "-1" where a non-negative integer up to 9007199254740991 belongs',
    safetensorsFile({ a: u8([-1], 0, 1) }, 1),
  ],
  ['the shape of "a" has "1.5" where', safetensorsFile({ a: u8([1.5], 0, 1) }, 1)],
  [
    'the shape of "a" has "1.0" where',
    safetensorsFile('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1),
  ],
  [
    'the shape of "a" has "1e0" where',
    safetensorsFile('{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1),
  ],
  [
    'the shape of "a" has "01" where',
    safetensorsFile('{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}', 1),
  ],
  ['the shape of "a" has "null" where', safetensorsFile({ a: u8([null], 0, 1) }, 1)],
  ['the shape of "a" has "9007199254740992" where', safetensorsFile({ a: u8([2 ** 53, 2 ** 53], 0, 1) }, 1)],
  ['the shape of "a" has more than 64 numbers', safetensorsFile({ a: u8(Array(65).fill(1), 0, 1) }, 1)],
  [
    '"a" has shape [9007199254740991,9007199254740991], about 8.112963841460666e+31 elements, more than 9007199254740991',
    safetensorsFile({ a: u8([2 ** 53 - 1, 2 ** 53 - 1], 0, 1) }, 1),
  ],
  [
    '"a" has shape [0,9007199254740991,3], about 27021597764222972 elements',
    safetensorsFile({ a: u8([0, 2 ** 53 - 1, 3], 0, 0) }),
  ],
  [
    '"a" has bytes 0 to 9007199254740991, 9007199254740991 of them, but U8 [4] takes 4',
    safetensorsFile({ a: u8([4], 0, 2 ** 53 - 1) }, 4),
  ],
  ['"a" has bytes 3 to 1, -2 of them, but U8 [2] takes 2', safetensorsFile({ a: u8([2], 3, 1) }, 3)],
  [
    '"a" begins at byte 1 but the data begins at 0: there is a hole',
    safetensorsFile({ a: u8([1], 1, 2) }, 2),
  ],
  [
    '"b" begins at byte 2 but "a" ends at 1: there is a hole',
    safetensorsFile({ a: u8([1], 0, 1), b: u8([1], 2, 3) }, 3),
  ],
  [
    '"b" begins at byte 1 but "a" ends at 2: they overlap',
    safetensorsFile({ a: u8([2], 0, 2), b: u8([2], 1, 3) }, 3),
  ],
  [
    '"b" begins at byte 0 but "a" ends at 2: they overlap',
    safetensorsFile({ a: u8([2], 0, 2), b: u8([2], 0, 2) }, 2),
  ],
  [
    "the header and its tensors take 65 bytes but the source has 64",
    safetensorsFile({ a: u8([4], 0, 4) }, 3),
  ],
  [
    "the header and its tensors take 65 bytes but the source has 66",
    safetensorsFile({ a: u8([4], 0, 4) }, 5),
  ],
  [
    "the header and its tensors take 1099511627861 bytes but the source has 85",
    safetensorsFile({ a: u8([2 ** 40], 0, 2 ** 40) }),
  ],
  [
    'the header has "a" twice, again before character 56',
    safetensorsFile(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
  ],
  [
    'the header has "a" twice',
    safetensorsFile(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      1,
    ),
  ],
  [
    '"a" has "shape" twice',
    safetensorsFile('{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
  ],
  ['__metadata__ has "k" twice', safetensorsFile('{"__metadata__":{"k":"1","k":"2"}}')],
])("%s", async (message, file) => {
  expect(await messageOf(openSafetensors(file))).toContain(`safetensors: ${message}`);
});

test("a message shows at most a piece of a name that is as long as the file", async () => {
  const message = await messageOf(openSafetensors(safetensorsFile({ ["n".repeat(1e6)]: u8([1], 0, 2) }, 2)));
  expect(message.length).toBeLessThan(300);
});

test("names that objects already have are names like any other, and harm none", async () => {
  const header =
    '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"constructor":{"dtype":"U8","shape":[],"data_offsets":[1,2]},"__metadata__":{"__proto__":"x"}}';
  const opened = await openSafetensors(safetensorsFile(header, 2));
  expect([...opened.entries.keys()]).toEqual(["__proto__", "constructor"]);
  expect([...opened.metadata]).toEqual([["__proto__", "x"]]);
  expect(
    await messageOf(openSafetensors(safetensorsFile("{}")).then((empty) => empty.get("toString"))),
  ).toContain(`no "toString"`);
  expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
});

test("truncated at any byte, as bytes and as a stream", async () => {
  const file = await small();
  for (let length = 0; length < file.length; length++) {
    const cut = file.subarray(0, length);
    expect(await messageOf(openSafetensors(cut))).toMatch(/^safetensors: .*\d.*\. .*\.$/);
    expect(await messageOf(readSafetensors(chunked(cut, [7, 5])))).toMatch(/^safetensors: .*\d.*\. .*\.$/);
  }
});

test("a stream that ends or goes on where nothing was read is found out at its end", async () => {
  const file = await small();
  const passOver = async (bytes: Uint8Array) => {
    for await (const _ of await openSafetensors(chunked(bytes, [20])));
  };
  await passOver(file);
  expect(await messageOf(passOver(file.subarray(0, -1)))).toMatch(/take 259 bytes but the source has 258/);
  expect(await messageOf(passOver(Uint8Array.of(...file, 0)))).toMatch(
    /take 259 bytes but the source has at least 260/,
  );
});

test("a stream is not believed about sizes: memory grows with what has come", async () => {
  const header = { a: u8([2 ** 45], 0, 2 ** 45) };
  const message = await messageOf(readSafetensors(chunked(safetensorsFile(header, 100), [64])));
  expect(message).toMatch(/^safetensors: "a" has 100 bytes left of 35184372088832 before the source ends\./);
});

test("random bytes and random damage: a FormatError or a file, and never a read beyond the source", async () => {
  const file = await small();
  const damage = fc.array(fc.tuple(fc.nat({ max: file.length - 1 }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });
  const damagedFile = damage.map((changes) => {
    const copy = file.slice();
    for (const [at, byte] of changes) copy[at] = byte;
    return copy;
  });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(damagedFile, fc.uint8Array({ maxLength: 64 })),
      arbitraryCuts,
      async (bytes, cuts) => {
        const source = counting(bytes);
        const found = await orFormatError(readSafetensors(source));
        expect(source.most).toBeLessThanOrEqual(Math.max(8, bytes.length));
        const streamed = await orFormatError(readSafetensors(chunked(bytes, cuts)));
        expect(streamed instanceof FormatError).toBe(found instanceof FormatError);
        if (!(found instanceof FormatError)) expect(streamed).toEqual(found);
      },
    ),
    { numRuns: 1000 },
  );
});

test("headers of the right form and any content: accepted only if every rule of the layout holds", async () => {
  const size = fc.oneof(
    fc.nat({ max: 3 }),
    fc.constantFrom<unknown>(-1, 0.5, 2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300, "1", null, [1]),
  );
  const tensor = fc.record(
    {
      dtype: fc.constantFrom<unknown>("U8", "F32", "BF16", "F8_E5M2", 1, null),
      shape: fc.oneof(fc.array(size, { maxLength: 3 }), size),
      data_offsets: fc.oneof(fc.tuple(size, size), fc.array(size, { maxLength: 3 }), size),
      extra: fc.anything({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  );
  const right = fc.record({
    dtype: fc.constant("U8"),
    shape: fc.tuple(fc.nat({ max: 3 })),
    data_offsets: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 6 })),
  });
  const key = fc.constantFrom("a", "b", "__proto__", "__metadata__");
  const header = fc.array(fc.tuple(key, fc.oneof(tensor, right, right, fc.jsonValue())), { maxLength: 3 });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(header, fc.nat({ max: 8 }), async (members, dataBytes) => {
      const text = `{${members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`).join()}}`;
      const source = counting(safetensorsFile(text, dataBytes));
      const found = await orFormatError(readSafetensors(source));
      expect(source.most).toBeLessThanOrEqual(source.size!);
      if (found instanceof FormatError) return;
      accepted++;
      const total = [...found.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
      expect(total).toBe(dataBytes);
      expect(new Set(members.map(([name]) => name)).size).toBe(members.length);
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(0);
});
