import { FormatError, type HostDType, readNpy, toBytes, writeNpy } from "@shadegrad/tensor/formats";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  arbitraryCuts,
  arbitraryTensor,
  bytesOf,
  chunked,
  counting,
  messageOf,
  npyFile,
  orFormatError,
} from "./arbitrary.ts";

vi.setConfig({ testTimeout: 60_000 });

const NPY_DTYPES: HostDType[] = [
  "f64",
  "f32",
  "f16",
  "i64",
  "u64",
  "i32",
  "u32",
  "i16",
  "u16",
  "i8",
  "u8",
  "bool",
];
const fromBase64 = (text: string) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const dict = (descr: string, shape: string, order = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

/** Written by NumPy 2.4. */
const GOLDEN: Record<string, string> = {
  "np.arange(6, dtype='<f4').reshape(2, 3) / 4":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8=",
  "np.asfortranarray(np.arange(24, dtype='<i2').reshape(2, 3, 4))":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAwABAAQAAgAFAABAA0ABQARAAkAFQACAA4ABgASAAoAFgADAA8ABwATAAsAFwA=",
  "np.array([1.5, -2.25], dtype='>f8')":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/+AAAAAAAAMACAAAAAAAA",
  "np.array(-3, dtype='<i8')":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr9/////////w==",
  "np.arange(3, dtype='u1'), version 2.0":
    "k05VTVBZAgB0AAAAeydkZXNjcic6ICd8dTEnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAQI=",
  "np.arange(3, dtype='>u4'), version 3.0":
    "k05VTVBZAwB0AAAAeydkZXNjcic6ICc+dTQnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAQAAAAI=",
  "np.array([True, False, True])":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAE=",
  "np.zeros((0, 3), dtype='<f4')":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDAsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo=",
  "np.asfortranarray(np.arange(6, dtype='>u8').reshape(3, 2))":
    "k05VTVBZAQB2AHsnZGVzY3InOiAnPnU4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMywgMiksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAQAAAAAAAAAAQAAAAAAAAADAAAAAAAAAAU=",
};

describe("NumPy's own files", () => {
  test.each([
    [
      "np.arange(6, dtype='<f4').reshape(2, 3) / 4",
      { dtype: "f32", shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) },
    ],
    [
      "np.asfortranarray(np.arange(24, dtype='<i2').reshape(2, 3, 4))",
      { dtype: "i16", shape: [2, 3, 4], data: Int16Array.from({ length: 24 }, (_, i) => i) },
    ],
    ["np.array([1.5, -2.25], dtype='>f8')", { dtype: "f64", shape: [2], data: Float64Array.of(1.5, -2.25) }],
    ["np.array(-3, dtype='<i8')", { dtype: "i64", shape: [], data: BigInt64Array.of(-3n) }],
    ["np.arange(3, dtype='u1'), version 2.0", { dtype: "u8", shape: [3], data: Uint8Array.of(0, 1, 2) }],
    ["np.arange(3, dtype='>u4'), version 3.0", { dtype: "u32", shape: [3], data: Uint32Array.of(0, 1, 2) }],
    ["np.array([True, False, True])", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ["np.zeros((0, 3), dtype='<f4')", { dtype: "f32", shape: [0, 3], data: new Float32Array() }],
    [
      "np.asfortranarray(np.arange(6, dtype='>u8').reshape(3, 2))",
      { dtype: "u64", shape: [3, 2], data: BigUint64Array.of(0n, 1n, 2n, 3n, 4n, 5n) },
    ],
  ])("%s", async (python, expected) => {
    expect(await readNpy(fromBase64(GOLDEN[python]!))).toEqual(expected);
  });

  test("what is written is what NumPy writes, byte for byte", async () => {
    const golden = fromBase64(GOLDEN["np.arange(6, dtype='<f4').reshape(2, 3) / 4"]!);
    expect(
      await toBytes(
        writeNpy({ dtype: "f32", shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) }),
      ),
    ).toEqual(golden);
    expect(
      await toBytes(writeNpy({ dtype: "bool", shape: [3], data: () => Uint8Array.of(1, 0, 1) })),
    ).toEqual(fromBase64(GOLDEN["np.array([True, False, True])"]!));
    expect(
      await toBytes(writeNpy({ dtype: "i64", shape: [], data: async () => BigInt64Array.of(-3n) })),
    ).toEqual(fromBase64(GOLDEN["np.array(-3, dtype='<i8')"]!));
  });
});

test("any array survives, from bytes, a Blob and a stream cut anywhere, its data at a multiple of 64", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTensor(NPY_DTYPES), arbitraryCuts, async (tensor, cuts) => {
      const bytes = await toBytes(writeNpy(tensor));
      expect((bytes.length - tensor.data.byteLength) % 64).toBe(0);
      for (const input of [bytes, new Blob([bytes]), chunked(bytes, cuts)]) {
        const found = await readNpy(input);
        expect([found.dtype, found.shape, bytesOf(found.data)]).toEqual([
          tensor.dtype,
          tensor.shape,
          bytesOf(tensor.data),
        ]);
      }
    }),
  );
});

test("either byte order and either layout give the same array", async () => {
  await fc.assert(
    fc.asyncProperty(
      arbitraryTensor(NPY_DTYPES),
      fc.boolean(),
      fc.boolean(),
      async ({ dtype, shape, data }, big, fortran) => {
        const size = data.BYTES_PER_ELEMENT;
        const bytes = bytesOf(data);
        const stored = new Uint8Array(bytes.length);
        for (let i = 0; i < data.length; i++) {
          // Place of row-major element i, by the definition of column-major order.
          let [rest, to, stride] = [i, 0, 1];
          const index = [...shape]
            .reverse()
            .map((extent) => [rest % extent, (rest = Math.floor(rest / extent))][0]!)
            .reverse();
          for (const [axis, extent] of shape.entries())
            [to, stride] = [to + index[axis]! * stride, stride * extent];
          const element = bytes.slice(i * size, (i + 1) * size);
          stored.set(big ? element.reverse() : element, (fortran ? to : i) * size);
        }
        const code = `${big ? ">" : "<"}${dtype[0]}${size}`;
        const text = dict(
          `"${code}"`,
          `(${shape.map((extent) => `${extent},`).join("")})`,
          fortran ? "True" : "False",
        );
        expect(bytesOf((await readNpy(npyFile(text, stored))).data)).toEqual(bytes);
      },
    ),
  );
});

test.each([
  "{'shape':(2L,),\"descr\":'=f4','fortran_order':False}",
  "  { 'descr' : '|f4' , 'fortran_order' : False , 'shape' : ( 2 , ) , } \n",
])("a header need not be as NumPy spaces it: %s", async (header) => {
  expect(await readNpy(npyFile(header, 8))).toMatchObject({ dtype: "f32", shape: [2] });
});

test.each<[string, Uint8Array]>([
  ['the file begins with "", not "\u0093NUMPY"', new Uint8Array()],
  ['the file begins with "PK", not "\u0093NUMPY"', Uint8Array.of(0x50, 0x4b)],
  ["the version is 4.0, not 1.0, 2.0 or 3.0", npyFile(dict("'<f4'", "()"), 4, [4, 0])],
  ["the version is 1.1, not", npyFile(dict("'<f4'", "()"), 4, [1, 1])],
  ["the length of the header takes 2 bytes but 1 follow", npyFile("").subarray(0, 9)],
  [
    "the header claims 4294967295 bytes but may have 10000",
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255),
  ],
  ["the header claims 9 bytes but 8 follow", npyFile("{'descr':").subarray(0, 18)],
  ['the header has "" at character 0, not a key', npyFile("")],
  [`the header has "'descr':" at character 1, not a key`, npyFile("{'descr': ")],
  ['the header has "import os" at character 0, not a key', npyFile("import os")],
  [
    `the header has "'descr': [('a', '<f4')], 'fortra" at character 1`,
    npyFile(dict("[('a', '<f4')]", "(2,)"), 8),
  ],
  [
    `the header has "'descr': __import__('os').system" at character 1`,
    npyFile(dict("__import__('os').system('id')", "(2,)"), 8),
  ],
  ['the header has "descr" twice', npyFile("{'descr': '<f4', 'descr': '<f4', }")],
  ['the header has the keys "descr,shape", not', npyFile("{'descr': '<f4', 'shape': (), }", 4)],
  [
    'the header has the keys "__proto__,descr,fortran_order,shape", not',
    npyFile("{'__proto__': '', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4),
  ],
  ['fortran_order is "1", not True or False', npyFile(dict("'<f4'", "()", "1"), 4)],
  ['dtype "|O" is of Python objects', npyFile(dict("'|O'", "(2,)"), 8)],
  ['dtype "<U2" is not a byte order', npyFile(dict("'<U2'", "(2,)"), 8)],
  ['dtype "<b2" is not', npyFile(dict("'<b2'", "(2,)"), 4)],
  ['dtype "f4" is not', npyFile(dict("'f4'", "(2,)"), 8)],
  ['dtype "<f44" is not', npyFile(dict("'<f44'", "(2,)"), 8)],
  ['dtype "no string" is not', npyFile(dict("None", "(2,)"), 8)],
  ['the shape is "no tuple", not a tuple', npyFile(dict("'<f4'", "2"), 8)],
  ['the shape is "(2)", not a tuple', npyFile(dict("'<f4'", "(2)"), 8)],
  ['the shape is "(-1,)", not a tuple', npyFile(dict("'<f4'", "(-1,)"), 8)],
  ['the shape is "(2.0,)", not a tuple', npyFile(dict("'<f4'", "(2.0,)"), 8)],
  ["the shape has 65 axes, more than 64", npyFile(dict("'<f4'", `(${"1,".repeat(65)})`), 4)],
  ["the array has an axis of size 9007199254740992 in", npyFile(dict("'<f4'", "(9007199254740993, 0)"))],
  ["the array has shape [9007199254740991,2], about", npyFile(dict("'<f4'", "(9007199254740991, 2)"))],
  ["the array has an axis of size Infinity in", npyFile(dict("'<f4'", `(${"9".repeat(400)}, 0)`))],
  [
    "the header and f32 [1099511627776] take 4398046511183 bytes but the source has 79",
    npyFile(dict("'<f4'", "(1099511627776,)")),
  ],
  ["the header and f32 [2] take 75 bytes but the source has 74", npyFile(dict("'<f4'", "(2,)"), 7)],
  ["the header and f32 [2] take 75 bytes but the source has 76", npyFile(dict("'<f4'", "(2,)"), 9)],
])("%s", async (message, file) => {
  expect(await messageOf(readNpy(file))).toContain(`npy: ${message}`);
});

test("bf16 has no name in NumPy", async () => {
  expect(await messageOf(toBytes(writeNpy({ dtype: "bf16", shape: [], data: Uint16Array.of(0) })))).toBe(
    "npy: the array is bf16, for which NumPy has no name. Write f32 or f16.",
  );
});

describe("untrusted", () => {
  const file = fromBase64(GOLDEN["np.asfortranarray(np.arange(24, dtype='<i2').reshape(2, 3, 4))"]!);

  test("truncated at any byte, or one byte too long, as bytes and as a stream", async () => {
    for (const cut of [
      ...Array.from(file, (_, length) => file.subarray(0, length)),
      Uint8Array.of(...file, 0),
    ]) {
      expect(await messageOf(readNpy(cut))).toMatch(/^npy: .*\. .*\.$/);
      expect(await messageOf(readNpy(chunked(cut, [7, 5])))).toMatch(/^npy: .*\. .*\.$/);
    }
  });

  test("random damage: a FormatError or an array, and never a large read", async () => {
    const changes = fc.array(
      fc.tuple(
        fc.nat({ max: 80 }),
        fc.oneof(
          fc.nat({ max: 255 }),
          fc.constantFrom(...Array.from("0123456789<>|=(),{}'\" fiubO:LTF", (c) => c.charCodeAt(0))),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    );
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (edits, atShape) => {
        const copy = file.slice();
        for (const [at, byte] of edits) copy[atShape ? 45 + (at % 30) : at] = byte;
        const source = counting(copy);
        const found = await orFormatError(readNpy(source));
        expect(source.most).toBeLessThanOrEqual(10_000); // as long as a header may be
        const streamed = await orFormatError(readNpy(chunked(copy, [10, 100])));
        expect(streamed instanceof FormatError).toBe(found instanceof FormatError);
      }),
      { numRuns: 2000 },
    );
  });

  test("hostile headers take no longer than harmless ones of their length, but for a factor", async () => {
    /** The shortest of a few times: others have the machine too. */
    const shortest = async (file: Uint8Array) => {
      let least = Infinity;
      for (let i = 0; i < 5; i++) {
        const start = performance.now();
        await orFormatError(readNpy(file));
        least = Math.min(least, performance.now() - start);
      }
      return least;
    };
    const harmless = await shortest(npyFile(dict("'<f4'", "(0,)").padEnd(9990)));
    for (const text of [
      `{${"'a':(".repeat(1900)}`,
      `{'shape': (${"1,".repeat(4900)}`,
      `{'descr': '${"'\"".repeat(4900)}`,
      `{${" ".repeat(9990)}`,
      `{'shape': (${" ".repeat(9900)}x)}`,
      `${"(1,".padEnd(9900)})`,
      dict("'<f4'", `(1${" ".repeat(9800)}1)`),
    ]) {
      // Steps that grow with the square of the length would be thousands of times as many.
      expect(await shortest(npyFile(text))).toBeLessThan(200 * Math.max(harmless, 0.05));
    }
  });

  test("a header of every length modulo 64 is written and read", async () => {
    const lengths = new Set<number>();
    for (let axes = 1; axes <= 25; axes++) {
      for (const last of [1, 10, 100]) {
        const shape = [0, ...Array<number>(axes).fill(1), last];
        const bytes = await toBytes(writeNpy({ dtype: "f32", shape, data: new Float32Array() }));
        const header = new DataView(bytes.buffer).getUint16(8, true);
        const text = String.fromCharCode(...bytes.subarray(10));
        lengths.add(text.trimEnd().length % 64);
        expect([bytes.length, (10 + header) % 64, text.at(-1)]).toEqual([10 + header, 0, "\n"]);
        expect(text.length - text.trimEnd().length).toBeLessThanOrEqual(64);
        expect((await readNpy(bytes)).shape).toEqual(shape);
      }
    }
    expect(lengths.size).toBe(64);
    for (let length = 60; length < 124; length++) {
      const text = dict("'|u1'", "(1,)").padEnd(length);
      expect((await readNpy(npyFile(text, Uint8Array.of(7)))).data).toEqual(Uint8Array.of(7));
    }
  });
});
