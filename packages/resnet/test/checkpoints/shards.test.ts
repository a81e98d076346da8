import { FormatError, openSource, toBytes, writeSafetensors } from "@shadegrad/tensor/formats";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { Checkpoint } from "../../src/checkpoints/checkpoint-file.ts";
import { openCheckpoint } from "../../src/checkpoints/index.ts";
import { openSharded } from "../../src/checkpoints/sharded.ts";
import { Shards, shardPath } from "../../src/checkpoints/shards.ts";
import { joined, messageOf, type Part } from "./files.ts";
import { f32, tensorIn, torchZip } from "./torch-file.ts";

const damaged = (what: string) => new FormatError(what);

describe("the path of a shard", () => {
  test.each(["a.bin", "a/b.bin", "..a", "a..", "a b", "...", ".a/b"])("may be %j", (path) => {
    expect(shardPath(path, damaged)).toBe(path);
  });

  test.each(["", "/a", "a/", "a//b", ".", "./a", "a/./b", "..", "../a", "a/..", "a\\b", "c:a", "a\0"])(
    "is not %j",
    (path) => {
      expect(() => shardPath(path, damaged)).toThrow(
        `${JSON.stringify(path)} is no path of a file beside it`,
      );
    },
  );

  test("is a string", () => {
    expect(() => shardPath(5, damaged)).toThrow('"5" is no path');
    expect(() => shardPath(undefined, damaged)).toThrow('"undefined" is no path');
  });
});

describe("shards as one run of bytes", () => {
  const FILES: Record<string, Uint8Array> = {
    a: Uint8Array.of(0, 1, 2),
    b: new Uint8Array(),
    c: Uint8Array.of(3, 4),
    d: Uint8Array.of(5, 6, 7),
  };
  function shards(failing: { path?: string } = {}) {
    const opened: string[] = [];
    let closed = 0;
    const run = new Shards(Object.keys(FILES), async (path) => {
      opened.push(path);
      if (path === failing.path) throw new Error("the cable was cut");
      return { ...(await openSource(FILES[path]!)), close: async () => void closed++ };
    });
    return {
      opened,
      closed: () => closed,
      read: (start: number, length: number) => run.read("x", start, length),
    };
  }

  test("are read at any place, across their ends", async () => {
    for (let start = 0; start <= 8; start++)
      for (let length = 0; start + length <= 8; length++) {
        const expected = Uint8Array.from({ length }, (_, i) => start + i);
        const { read, opened, closed } = shards();
        expect(await read(start, length), `${length} from ${start}`).toEqual(expected);
        expect(closed()).toBe(opened.length);
        await read(0, 8);
        expect(await read(start, length), `${length} from ${start} again`).toEqual(expected);
      }
  });

  test("are opened as far as is needed, each once while reading goes on", async () => {
    const { read, opened } = shards();
    await read(0, 0);
    expect(opened).toEqual([]);
    await read(0, 3);
    expect(opened).toEqual(["a"]);
    await Promise.all([read(1, 1), read(2, 1)]);
    expect(opened).toEqual(["a"]);
    await read(3, 2);
    expect(opened).toEqual(["a", "b", "c"]);
    await read(4, 2);
    expect(opened).toEqual(["a", "b", "c", "d"]);
    // The shards' ends are known by now.
    await read(3, 1);
    expect(opened.slice(4)).toEqual(["c"]);
    await read(0, 1);
    expect(opened.slice(5)).toEqual(["a"]);
  });

  test("that end too early", async () => {
    const { read } = shards();
    expect(await messageOf(read(6, 3))).toBe(
      'model.json: "x" takes 3 bytes from byte 6, but its 4 shards end at 8. Fetch the shards again.',
    );
    expect(await messageOf(read(8, 1))).toContain("from byte 8, but its 4 shards end at 8.");
    expect(await messageOf(new Shards([], () => openSource("")).read("x", 0, 1))).toContain(
      "but its 0 shards end at 0.",
    );
  });

  test("that cannot be opened fail one reading, not the next", async () => {
    const failing: { path?: string } = { path: "c" };
    const { read } = shards(failing);
    await expect(read(3, 1)).rejects.toThrow("the cable was cut");
    delete failing.path;
    expect(await read(2, 3)).toEqual(Uint8Array.of(2, 3, 4));
  });
});

describe("an index of shards", () => {
  const tensor = (position?: number) => ({
    dtype: "u8" as const,
    shape: [1],
    ...(position !== undefined && { position }),
    read: async () => ({ dtype: "u8" as const, shape: [1], data: Uint8Array.of(position ?? 0) }),
  });
  const closed: string[] = [];
  const shard = (path: string, names: readonly string[]): Checkpoint => ({
    format: "PyTorch",
    layout: "torch",
    tensors: new Map(names.map((name, i) => [name, tensor(i || undefined)])),
    metadata: new Map([["of", path]]),
    close: async () => void closed.push(path),
  });
  const source = {
    size: 0,
    seekable: true,
    read: async () => new Uint8Array(),
    close: async () => void closed.push("index"),
  };
  const FILES: Record<string, string[]> = { one: ["a", "b"], two: ["c", "d"] };
  const open = (map: unknown) => {
    closed.length = 0;
    return openSharded(source, { weight_map: map }, async (path) => {
      if (!FILES[path]) throw new Error(`no ${path}`);
      return shard(path, FILES[path]);
    });
  };

  test("gives the tensors that it places, those of earlier shards first, and closes all", async () => {
    const found = await open({ d: "two", a: "one", c: "two" });
    expect([found.format, found.layout, [...found.metadata]]).toEqual(["PyTorch", "torch", [["of", "two"]]]);
    expect([...found.tensors].map(([name, { position }]) => [name, position])).toEqual([
      ["d", 1],
      ["a", 2 ** 40],
      ["c", 0],
    ]);
    expect((await found.tensors.get("d")!.read()).data).toEqual(Uint8Array.of(1));
    expect(closed).toEqual([]);
    await found.close();
    expect(closed).toEqual(["two", "one", "index"]);
  });

  test.each<[unknown, string, string[]]>([
    [5, "its weight_map is 5, not names and files", []],
    [["a"], 'its weight_map is ["a"], not names and files', []],
    [null, "its weight_map is null, not names and files", []],
    [{}, "its weight_map is empty", ["index"]],
    [{ a: "one", x: "two" }, 'it places "x" in "two", which lacks it', ["one", "two", "index"]],
    [{ a: 5 }, '"5" is no path of a file beside it', []],
  ])("%j is refused", async (map, message, expected) => {
    expect(await messageOf(open(map))).toBe(`index.json: ${message}. Fetch the index and its shards again.`);
    expect(closed).toEqual(expected);
  });

  test("whose shard is missing closes the others", async () => {
    await expect(open({ a: "one", x: "three" })).rejects.toThrow("no three");
    expect(closed).toEqual(["one", "index"]);
  });

  test("may have a thousand shards", async () => {
    const map = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, `${i}.bin`]));
    await expect(open(map(1000))).rejects.toThrow("no 0.bin");
    expect(await messageOf(open(map(1001)))).toContain("it names 1001 shards, more than 1000");
  });

  test("is told from a model by its map, and may name files in folders", async () => {
    const bytes = await toBytes(writeSafetensors({ a: { dtype: "u8", shape: [1], data: Uint8Array.of(7) } }));
    const index = new File([JSON.stringify({ weight_map: { a: "parts/one.safetensors" } })], "x.index.json");
    const files = [index, new File([bytes], "one.safetensors")];
    const { tensors, format } = await openCheckpoint(files);
    expect([format, (await tensors.get("a")!.read()).data]).toEqual(["safetensors", Uint8Array.of(7)]);
    expect(await messageOf(openCheckpoint(await index.arrayBuffer()))).toBe(
      'index.json: its shard "parts/one.safetensors" lies beside it, but of bytes nobody knows where. Give its path, its URL, or all its files.',
    );
    const text = new File(["<html>"], "one.safetensors");
    expect(await messageOf(openCheckpoint([index, text]))).toMatch(
      /^parts\/one\.safetensors is an HTML page/,
    );
  });
});

describe("the shards of an index at an address", () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Stands for `fetch`, with ranges or without; the addresses whose answer was not read to its end. */
  function serve(files: Readonly<Record<string, Part>>, ranges: boolean): string[] {
    const cancelled: string[] = [];
    vi.stubGlobal("fetch", async (url: string | URL, { headers }: { headers: { Range: string } }) => {
      const name = String(url).split("/").at(-1)!;
      const bytes = joined(files[name]!);
      const first = ranges ? Number(/\d+/.exec(headers.Range)![0]) : 0;
      let at = first;
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (at >= bytes.length) return controller.close();
            controller.enqueue(bytes.subarray(at, at + 600));
            at += 600;
          },
          cancel: () => void cancelled.push(name),
        },
        { highWaterMark: 0 },
      );
      if (ranges) {
        const range = `bytes ${first}-${bytes.length - 1}/${bytes.length}`;
        return new Response(body, { status: 206, headers: { "Content-Range": range } });
      }
      return new Response(bytes);
    });
    return cancelled;
  }

  const state = new Map([
    ["a", tensorIn("0", 2)],
    ["b", tensorIn("1", 1)],
  ]);
  const files = {
    "index.json": JSON.stringify({ weight_map: { b: "shard.bin", a: "shard.bin" } }),
    "shard.bin": torchZip(state, { 0: f32(1, 2), 1: f32(3) }),
  };

  test.each([true, false])("are read at any place, ranges: %s", async (ranges) => {
    serve(files, ranges);
    const { tensors, close } = await openCheckpoint("https://example.org/index.json");
    for (const [name, numbers] of [
      ["b", [3]],
      ["a", [1, 2]],
      ["b", [3]],
    ] as const)
      expect([...((await tensors.get(name)!.read()).data as Float32Array)]).toEqual(numbers);
    await close();
  });

  test("are closed where one is no checkpoint", async () => {
    const cancelled = serve({ ...files, "shard.bin": "<html>".padEnd(2000) }, true);
    const message = await messageOf(openCheckpoint("https://example.org/index.json"));
    expect(message).toMatch(/^shard\.bin is an HTML page/);
    expect(cancelled).toContain("shard.bin");
  });
});
