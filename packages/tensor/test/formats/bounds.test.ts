import {
  type ByteSource,
  openSafetensors,
  readNpy,
  readSafetensors,
  toBytes,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { describe, expect, test } from "vitest";
import { chunked, messageOf, npyFile, safetensorsFile } from "./arbitrary.ts";

const dict = (descr: string, shape: string, order = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;
const u8 = (shape: number[], ...data_offsets: number[]) => ({ dtype: "U8", shape, data_offsets });

/** A source of bytes that counts how often it is closed and how much it is asked for, and may have fewer bytes than its size. */
function watched(bytes: Uint8Array, size = bytes.length): ByteSource & { closed: number; asked: number[] } {
  return {
    size,
    seekable: true,
    closed: 0,
    asked: [],
    async read(offset, length) {
      this.asked.push(length);
      return bytes.slice(offset, offset + length);
    },
    async close() {
      this.closed++;
    },
  };
}

describe("a source is closed", () => {
  const npy = npyFile(dict("'|u1'", "(1,)"), 1);
  const safetensors = safetensorsFile({ a: u8([1], 0, 1) }, 1);

  test.each([
    ["an array", npy],
    ["an array that is cut off", npy.subarray(0, -1)],
    ["what is no array", safetensors],
  ])("once it has given %s", async (_, bytes) => {
    const source = watched(bytes);
    await readNpy(source).catch(() => {});
    expect(source.closed).toBe(1);
  });

  test.each([
    ["tensors", safetensors],
    ["tensors that are cut off", safetensors.subarray(0, -1)],
    ["what are no tensors", npy],
  ])("once it has given %s", async (_, bytes) => {
    const source = watched(bytes);
    await readSafetensors(source).catch(() => {});
    expect(source.closed).toBe(1);
  });

  test("when the file that was opened from it is, and not before", async () => {
    const source = watched(safetensors);
    const file = await openSafetensors(source);
    for await (const [, entry] of file) await entry.read();
    expect(source.closed).toBe(0);
    await file[Symbol.asyncDispose]();
    expect(source.closed).toBe(1);
  });
});

describe("a file that is too short is to be fetched again, one that is too long to be cut", () => {
  const npy = npyFile(dict("'<f4'", "(2,)"), 8);
  const safetensors = safetensorsFile({ a: u8([8], 0, 8) }, 8);
  const changed = (file: Uint8Array, by: number) =>
    by < 0 ? file.subarray(0, by) : Uint8Array.of(...file, ...new Uint8Array(by));
  const opened = async (bytes: Uint8Array | Iterable<Uint8Array>) => {
    for await (const _ of await openSafetensors(bytes));
  };

  test.each([
    ["npy", readNpy, npy, "The file is truncated, or no .npy file: fetch it again.", "the array"],
    [
      "safetensors",
      opened,
      safetensors,
      "The file is truncated, or no safetensors file: fetch it again.",
      "the last tensor",
    ],
  ] as const)("%s", async (_, read, file, truncated, last) => {
    for (const stream of [false, true]) {
      const message = (by: number) => {
        const bytes = changed(file, by);
        return messageOf(read(stream ? chunked(bytes, [50]) : bytes) as Promise<unknown>);
      };
      const short = await message(-1);
      expect(short).toContain(`but the source has ${file.length - 1}. ${truncated}`);
      const long = await message(1);
      expect(long).toContain(`but the source has ${stream ? "at least " : ""}${file.length + 1}. `);
      expect(long).toContain(`Cut off what follows ${last}, or fetch the file again.`);
    }
  });

  test("also where it has shrunk since its size was known", async () => {
    expect(await messageOf(readNpy(watched(npy.subarray(0, -3), npy.length)))).toBe(
      `npy: the header and f32 [2] take ${npy.length} bytes but the source has ${npy.length - 3}. The file is truncated, or no .npy file: fetch it again.`,
    );
    expect(await messageOf(readSafetensors(watched(safetensors.subarray(0, -3), safetensors.length)))).toBe(
      'safetensors: "a" has 5 bytes left of 8 before the source ends. The file is truncated, or no safetensors file: fetch it again.',
    );
    expect(await messageOf(openSafetensors(watched(safetensors.subarray(0, 20), safetensors.length)))).toBe(
      `safetensors: the header claims ${safetensors.length - 16} bytes but 12 follow. The file is truncated, or no safetensors file: fetch it again.`,
    );
  });
});

describe("a source of known size is asked for no more than is needed", () => {
  test("npy", async () => {
    const text = dict("'<f4'", "(2,)");
    const file = watched(npyFile(text, 8));
    await readNpy(file);
    expect(file.asked).toEqual([8, 2, text.length, 8]);
    const short = watched(npyFile(text, 7));
    await messageOf(readNpy(short));
    expect(short.asked).toEqual([8, 2, text.length]);
  });

  test("safetensors", async () => {
    const header = { a: u8([8], 0, 8) };
    const file = watched(safetensorsFile(header, 8));
    await readSafetensors(file);
    expect(file.asked).toEqual([8, JSON.stringify(header).length, 8]);
  });
});

describe("headers in other forms", () => {
  const read = async (text: string, data = 0) => (await readNpy(npyFile(text, data))).shape;
  const refused = (text: string) => messageOf(readNpy(npyFile(text, 8)));

  test.each([
    ["(10, 10)", [10, 10]],
    ["(1, 2, 10)", [1, 2, 10]],
    ["( 1 , 2L , 3 , 4L , )", [1, 2, 3, 4]],
    ["(12,)", [12]],
    [" ( ) ", []],
  ])("a shape %s", async (tuple, shape) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    expect(await read(dict("'|u1'", tuple), elements)).toEqual(shape);
  });

  test.each(["(1, 1x)", "(1, 1, 1x)", "(1, 1,x)", "(1, 1, 1,x)", "(1,,)", "(,)", "(x1,)", "(1, 1;)"])(
    "no shape %s",
    async (tuple) => {
      expect(await refused(dict("'|u1'", tuple))).toContain(`the shape is "${tuple}", not a tuple`);
    },
  );

  test("nothing follows the dict", async () => {
    const text = dict("'|u1'", "(8,)");
    expect(await read(`${text} \n`, 8)).toEqual([8]);
    expect(await refused(`${text} x`)).toContain(`the header has "} x" at character ${text.length - 2}, not`);
  });

  test("objects are told from other types by their name", async () => {
    for (const descr of ["O", "|O", "<O8", "O8"])
      expect(await refused(dict(`'${descr}'`, "(1,)")), descr).toContain("is of Python objects");
    for (const descr of ["<fO", "fO4", "xO"])
      expect(await refused(dict(`'${descr}'`, "(1,)")), descr).toContain("is not a byte order");
  });

  test("JSON that breaks off after what is no string", async () => {
    expect(await messageOf(openSafetensors(safetensorsFile('{"__metadata__":{"k":1')))).toContain(
      'the header has "1" at character 21, not a string',
    );
  });

  test("bytes that are no text are the cause", async () => {
    const file = safetensorsFile(Uint8Array.of(0x7b, 0xff, 0x7d));
    await expect(openSafetensors(file)).rejects.toMatchObject({ cause: expect.any(TypeError) });
  });
});

describe("limits are reached, and not passed", () => {
  test("elements", async () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(await messageOf(readNpy(npyFile(dict("'|u1'", `(${most},)`))))).toMatch(
      /^npy: the header and u8 \[9007199254740991\] take \d+ bytes but the source has/,
    );
    expect(await messageOf(openSafetensors(safetensorsFile({ a: u8([most], 0, most) })))).toMatch(
      /^safetensors: the header and its tensors take \d+ bytes but the source has/,
    );
    expect(await messageOf(readNpy(npyFile(dict("'|u1'", `(${2 ** 52}, 2)`))))).toContain(
      "has shape [4503599627370496,2], about 9007199254740992 elements, more than 9007199254740991",
    );
  });

  test("axes", async () => {
    const ones = Array<number>(64).fill(1);
    expect((await readNpy(npyFile(dict("'|u1'", `(${ones})`), 1))).shape).toEqual(ones);
    const tensors = await readSafetensors(safetensorsFile({ a: u8(ones, 0, 1) }, 1));
    expect(tensors.get("a")?.shape).toEqual(ones);
  });

  test("bytes of a header", async () => {
    const padded = (length: number) => npyFile(dict("'|u1'", "(1,)").padEnd(length), 1);
    expect((await readNpy(padded(10_000))).shape).toEqual([1]);
    expect(await messageOf(readNpy(padded(10_001)))).toContain("claims 10001 bytes but may have 10000");
    expect(await messageOf(openSafetensors(safetensorsFile("{}", 0, 100_000_000n)))).toContain(
      "claims 100000000 bytes but 2 follow",
    );
  });

  test("versions", async () => {
    const version = (major: number, minor: number) =>
      messageOf(readNpy(npyFile(dict("'|u1'", "(1,)"), 2, [major, minor])));
    expect(await version(0, 0)).toContain("the version is 0.0, not 1.0, 2.0 or 3.0. Save it with np.save.");
    expect(await version(3, 0)).toContain("but the source has");
    expect(await version(3, 1)).toContain("the version is 3.1, not");
    expect(await version(4, 0)).toContain("the version is 4.0, not");
  });

  test("white space of JSON, and no other", async () => {
    const header = (space: string) => safetensorsFile(new TextEncoder().encode(`{${space}}`));
    expect((await openSafetensors(header(" \t\n\r"))).entries.size).toBe(0);
    for (const space of ["\f", "\v", "\u00a0", "\ufeff"])
      expect(await messageOf(openSafetensors(header(space))), JSON.stringify(space)).toContain(
        "at character 1, not a string",
      );
    const marked = safetensorsFile(new TextEncoder().encode("\ufeff{}"));
    expect(await messageOf(openSafetensors(marked))).toContain('the header begins with "\ufeff", not "{"');
  });
});

describe("arrays that need no change are the caller's bytes", () => {
  test.each([
    ["bytes, whose order is either", "'>u1'", "(8,)", "False"],
    ["a vector, whose layout is either", "'<f4'", "(2,)", "True"],
    ["a matrix", "'<f4'", "(1, 2)", "False"],
  ])("%s", async (_, descr, shape, order) => {
    // The 10 bytes before the header and its 118 align the data.
    const file = npyFile(dict(descr, shape, order).padEnd(118), Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 64));
    const { data } = await readNpy(file);
    expect(data.buffer).toBe(file.buffer);
    expect(new Uint8Array(data.buffer, data.byteOffset, 8)).toEqual(file.subarray(-8));
  });
});

describe("what a message lists", () => {
  test("is every type that NumPy has a name for", async () => {
    expect(await messageOf(readNpy(npyFile(dict("'<c8'", "(1,)"), 8)))).toBe(
      'npy: dtype "<c8" is not a byte order, one of < > | =, and one of f8 f4 f2 i8 u8 i4 u4 i2 u2 i1 u1 b1. Convert the array with astype first.',
    );
  });

  test("says that a value of a header is none of its kind", async () => {
    expect(await messageOf(readNpy(npyFile(dict("'<f4'", "()", "'True'"), 4)))).toContain(
      'fortran_order is "no bool", not True or False',
    );
    expect(await messageOf(readNpy(npyFile(dict("(1,)", "()"), 4)))).toContain('dtype "no string" is not');
    expect(await messageOf(readNpy(npyFile(dict("'<f4'", "'()'"), 4)))).toContain('the shape is "no tuple"');
  });

  test("is at most eight of a file's names", async () => {
    const missing = async (count: number) => {
      const names = Array.from({ length: count }, (_, i) => `t${i}`);
      const tensors = names.map(
        (name) => [name, { dtype: "u8", shape: [0], data: new Uint8Array() }] as const,
      );
      const file = await openSafetensors(await toBytes(writeSafetensors(tensors)));
      return messageOf((async () => file.get("x"))());
    };
    const eight = '"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"';
    const among = (count: number) =>
      `safetensors: there is no "x" among the ${count} tensors of the file. It has `;
    expect(await missing(0)).toBe(`${among(0)}none.`);
    expect(await missing(8)).toBe(`${among(8)}${eight}.`);
    expect(await missing(9)).toBe(`${among(9)}${eight}, ….`);
  });
});
