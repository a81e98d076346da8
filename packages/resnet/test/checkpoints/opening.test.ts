import { type ByteSource, toBytes, writeSafetensors } from "@shadegrad/tensor/formats";
import { afterEach, describe, expect, test, vi } from "vitest";
import { describeFile } from "../../src/checkpoints/describe-file.ts";
import { inspectCheckpoint, openCheckpoint } from "../../src/checkpoints/index.ts";
import { readJson, shown } from "../../src/checkpoints/json.ts";
import { recognize } from "../../src/checkpoints/recognize.ts";
import { joined, messageOf, type Part } from "./files.ts";

afterEach(() => vi.unstubAllGlobals());

const FILE = await toBytes(writeSafetensors({ a: { dtype: "u8", shape: [2], data: Uint8Array.of(5, 6) } }));
const JSON_FILE = joined('{"weightsManifest":[]}');

/** A source that counts how often it is closed. */
function watched(bytes: Uint8Array, changes: Partial<ByteSource> = {}): ByteSource & { closed: number } {
  return {
    size: bytes.length,
    seekable: true,
    closed: 0,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    async close() {
      this.closed++;
    },
    ...changes,
  };
}

describe("a source is closed", () => {
  test.each([
    ["safetensors", FILE],
    ["a model", JSON_FILE],
  ])("when the checkpoint is, and not before: %s", async (_, bytes) => {
    const source = watched(bytes);
    const { close } = await openCheckpoint(source);
    expect(source.closed).toBe(0);
    await close();
    expect(source.closed).toBe(1);
  });

  test.each([
    ["what is no checkpoint", joined("<html>")],
    ["what is damaged", FILE.subarray(0, -1)],
    ["JSON of something else", joined('{"a":1}')],
    ["the index of shards nobody knows where", joined('{"weight_map":{"a":"b"}}')],
  ])("where it holds %s", async (_, bytes) => {
    const source = watched(bytes);
    await messageOf(openCheckpoint(source));
    expect(source.closed).toBeGreaterThan(0);
  });

  test("once a checkpoint was inspected", async () => {
    const source = watched(FILE);
    const { format, layout, tensors } = await inspectCheckpoint(source);
    expect([format, layout, [...tensors]]).toEqual([
      "safetensors",
      "torch",
      [["a", { dtype: "u8", shape: [2] }]],
    ]);
    expect(source.closed).toBe(1);
  });

  test.each<Partial<ByteSource>>([{ seekable: false }, { size: undefined as never }])(
    "once it was read into memory, where it has %j",
    async (changes) => {
      const source = watched(FILE, changes);
      const { tensors } = await openCheckpoint(source);
      expect(source.closed).toBe(1);
      expect((await tensors.get("a")!.read()).data).toEqual(Uint8Array.of(5, 6));
      const broken = watched(FILE, {
        ...changes,
        read: async () => {
          throw new Error("the cable was cut");
        },
      });
      await expect(openCheckpoint(broken)).rejects.toThrow("the cable was cut");
      expect(broken.closed).toBe(1);
    },
  );
});

describe("of several files, the one to begin with", () => {
  const file = (name: string, content: Part = "{}") => new File([joined(content)], name);
  test.each<[string, File[], string]>([
    [
      "is an index",
      [file("model.json"), file("x.index.json", '{"weight_map":5}')],
      "index.json: its weight_map is 5",
    ],
    ["is model.json before other JSON", [file("config.json"), file("Model.JSON", '{"x":1}')], 'among "x"'],
    ["is other JSON before what is none", [file("w.bin"), file("net.json", '{"y":1}')], 'among "y"'],
    ["is the only one", [file("weights", "<html>")], "weights is an HTML page"],
    [
      "is none",
      ["a", "b", "c", "d", "e"].map((name) => file(name)),
      'checkpoint: there is no .json among 5 files, "a", "b", "c", "d" …; give one file, or model.json and its shards.',
    ],
  ])("%s", async (_, files, message) => {
    expect(await messageOf(openCheckpoint(files))).toContain(message);
  });

  test("is missing where there are none", async () => {
    expect(await messageOf(openCheckpoint([]))).toMatch(/^checkpoint: this is an empty file;/);
  });

  test("has its name, or its address, in a message", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>"));
    const address = `https://example.org/${"a".repeat(300)}`;
    expect(await messageOf(openCheckpoint(address))).toBe(
      `${address.slice(0, 200)} is an HTML page, perhaps of an error; expected safetensors, a PyTorch checkpoint or a TensorFlow.js model.json.`,
    );
    expect(await messageOf(openCheckpoint(new URL("https://example.org/x")))).toMatch(
      /^https:\/\/example.org\/x is/,
    );
    expect(await messageOf(openCheckpoint(joined("<html>")))).toMatch(/^checkpoint: this is an HTML page/);
  });
});

describe("a format is recognised by its first bytes", () => {
  const header = (length: number, next: Part = "{") =>
    joined(new Uint8Array(BigUint64Array.of(BigInt(length)).buffer), next);
  const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  test.each<[string, Uint8Array, string | undefined]>([
    ["a zip archive", joined("PK\x03\x04x"), "torch-zip"],
    ["a zip archive that is empty", joined("PK\x05\x06"), undefined],
    ["a legacy file", joined([0x80, 2], MAGIC), "torch-legacy"],
    ["a legacy file of protocol 5", joined([0x80, 5], MAGIC), "torch-legacy"],
    ["a legacy file in a frame", joined([0x80, 4, 0x95], new Uint8Array(8), MAGIC), "torch-legacy"],
    ["a pickle of protocol 1", joined([0x80, 1], MAGIC), undefined],
    ["a pickle of protocol 6", joined([0x80, 6], MAGIC), undefined],
    ["another pickle", joined([0x80, 2], MAGIC.slice(0, -1), [0]), undefined],
    ["safetensors", header(2), "safetensors"],
    ["safetensors of the longest header", header(100_000_000), "safetensors"],
    ["a header that is too long", header(100_000_001), undefined],
    ["a header that is none", header(2, "["), undefined],
    ["a header that breaks off", header(2, ""), undefined],
    ["JSON", joined(" \n\t{"), "json"],
    ["JSON that begins as a header would", joined('{"12345":{}}'), "json"],
    ["a list", joined("[]"), undefined],
    ["control characters", joined("{\x01"), undefined],
    ["no UTF-8", joined("{\xff"), undefined],
    ["UTF-8 that is cut off", joined("{\xe2\x82"), "json"],
    ["nothing", new Uint8Array(), undefined],
  ])("%s", (_, head, kind) => {
    expect(recognize(head)).toBe(kind);
    expect(recognize(joined([0], head).subarray(1))).toBe(kind);
  });

  test.each<[Part, string]>([
    ["GIF89a", "a GIF image"],
    ["RIFF\x01\x02\x03\x04WEBP", "a WebP image"],
    ["%PDF-1.7", "a PDF document"],
    ["BZh9", "a bzip2 archive; unpack it first"],
    ["\xfd7zXZ\0", "an xz archive; unpack it first"],
    [[0x28, 0xb5, 0x2f, 0xfd], "a Zstandard archive; unpack it first"],
    ["7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"],
    ["\x93NUMPY\x01", "a NumPy array"],
    ["GGUF\x03", "a GGUF model"],
    ["\x1c\0\0\0TFL3", "a TensorFlow Lite model"],
    ["\x7fELF\x02", "a program"],
    ["PK\x05\x06", "a zip archive that is empty or in parts"],
    ["\x80\x03}", "a Python pickle that torch.save did not write"],
    ["\xef\xbb\xbf\n<HTML lang=en>", "an HTML page, perhaps of an error"],
    ["<body>", "an HTML page, perhaps of an error"],
    ["<svg>", "an XML document"],
    ["\xef\xbb\xbf  hello, this is a long line of text", 'a text file, "hello, this is a long li" …'],
    ["\0\x01\x02\x03\x04\x05\x06\x07\x08\x09", "10 bytes of an unknown format, 00 01 02 03 04 05 06 07 …"],
  ])("%j is %s", (content, what) => {
    const head = joined(content);
    expect(describeFile(head, head.length)).toBe(what);
  });
});

describe("JSON of a checkpoint", () => {
  const read = (bytes: Uint8Array, changes: Partial<ByteSource> = {}) =>
    readJson(watched(bytes, changes), "x.json");
  const LIMIT = 1 << 25;

  test("is at most 32 MiB", async () => {
    const asked: number[] = [];
    const read = (size: number) =>
      readJson(
        watched(joined("{}"), {
          size,
          read: async (_, length) => {
            asked.push(length);
            return joined("{}");
          },
        }),
        "x.json",
      );
    expect((await read(LIMIT)).json).toEqual({});
    expect(await messageOf(read(LIMIT + 1))).toBe(
      `x.json: it has ${LIMIT + 1} bytes, more than ${LIMIT}. Fetch the file again.`,
    );
    expect(asked).toEqual([LIMIT]);
  });

  test("has at most so many objects and lists", async () => {
    // An object takes 64 bytes; 2²⁵ are free, and three for each byte of the text.
    const [objects, length] = [600_002, 1_615_232];
    expect(64 * objects).toBe(LIMIT + 3 * length);
    const text = (count: number) =>
      new TextEncoder().encode(`${"[".repeat(count / 2)}${"{".repeat(count / 2)}`.padEnd(length));
    expect(await messageOf(read(text(objects)))).toMatch(/^x\.json: this is no JSON: /);
    expect(await messageOf(read(text(objects + 2)))).toBe(
      `x.json: it has about ${objects + 2} objects and lists in ${length} bytes. Fetch the file again.`,
    );
  });

  test("is given with its bytes", async () => {
    expect(await read(joined("[1]"))).toEqual({ json: [1], bytes: joined("[1]") });
    expect(await messageOf(read(joined("[1")))).toMatch(
      /^x\.json: this is no JSON: .+\. Fetch the file again\.$/,
    );
  });

  test("is shown by its beginning", () => {
    const nine = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i]));
    const { k8: _, ...eight } = nine;
    expect(shown(eight)).toBe('{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7}');
    expect(shown(nine)).toBe(`${shown(eight).slice(0, -1)},…}`);
    expect([null, true, 5, undefined].map(shown)).toEqual(["null", "true", "5", "undefined"]);
    expect(shown({ a: [1], b: null, c: "x".repeat(81) })).toBe(`{"a":…,"b":null,"c":"${"x".repeat(80)}…"}`);
  });
});
