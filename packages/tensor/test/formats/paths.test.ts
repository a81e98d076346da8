import {
  FormatError,
  openSource,
  readSafetensors,
  save,
  toBytes,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { afterEach, describe, expect, test, vi } from "vitest";

const BYTES = Uint8Array.from({ length: 20 }, (_, i) => i);

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** Put `files` in the place of Node's, in Node and in a browser; undefined stands for a browser. */
function platform(files: object | undefined): void {
  const own = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const getBuiltinModule = (name: string) => (name === "node:fs/promises" ? files : undefined);
  if (own.process?.getBuiltinModule)
    vi.spyOn(own.process, "getBuiltinModule").mockImplementation(getBuiltinModule);
  else vi.stubGlobal("process", { getBuiltinModule });
}

function hasMemory(bytes: number): boolean {
  try {
    return new ArrayBuffer(bytes).byteLength === bytes;
  } catch {
    return false;
  }
}

/** A handle that gives at most `most` bytes at a time, and notes where it is read. */
function handle(bytes: Uint8Array, { most = Infinity, size = bytes.length, pipe = false } = {}) {
  const noted: string[] = [];
  return {
    noted,
    stat: async () => ({ size, isFile: () => !pipe }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      noted.push(`${length} at ${position}`);
      const part = bytes.subarray(position, position + Math.min(length, most));
      buffer.set(part, offset);
      return { bytesRead: part.length };
    },
    async close() {
      noted.push("close");
    },
    async *createReadStream({ autoClose }: { autoClose: boolean }) {
      noted.push(`stream ${autoClose}`);
      yield bytes.subarray(0, 3);
      yield bytes.subarray(3);
    },
  };
}

describe("a file handle", () => {
  test("reads at any offset, and no further than its end", async () => {
    const file = handle(BYTES);
    const source = await openSource(file);
    expect([source.size, source.seekable]).toEqual([20, true]);
    expect(await source.read(18, 5)).toEqual(Uint8Array.of(18, 19));
    expect(file.noted).toEqual(["2 at 18"]);
    expect(await source.read(0, 2)).toEqual(Uint8Array.of(0, 1));
    expect(await source.read(20, 1)).toHaveLength(0);
    expect(await source.read(30, Infinity)).toHaveLength(0);
    expect(await source.read(0, Infinity)).toEqual(BYTES);
  });

  test("is asked again where it gives fewer bytes than it has", async () => {
    const file = handle(BYTES, { most: 3 });
    const source = await openSource(file);
    expect(await source.read(5, 8)).toEqual(BYTES.subarray(5, 13));
    expect(file.noted).toEqual(["8 at 5", "5 at 8", "2 at 11"]);
  });

  test("that has shrunk gives what is left", async () => {
    const file = handle(BYTES, { size: 25 });
    const source = await openSource(file);
    expect(await source.read(15, 10)).toEqual(BYTES.subarray(15));
    expect(file.noted).toEqual(["10 at 15", "5 at 20"]);
  });

  test("is read in parts of at most a gibibyte, which is all that some systems give", async ({ skip }) => {
    skip(!hasMemory(2 ** 30 + 1), "this platform does not allocate so much");
    const asked: number[] = [];
    const file = handle(BYTES, { size: 2 ** 40 });
    const source = await openSource({
      ...file,
      async read(_: Uint8Array, __: number, length: number) {
        asked.push(length);
        return { bytesRead: 0 };
      },
    });
    expect(await source.read(0, 2 ** 30 + 1)).toHaveLength(0);
    expect(asked).toEqual([2 ** 30]);
  });

  test("that claims more than there is memory", async () => {
    const source = await openSource(handle(BYTES, { size: 2 ** 53 }));
    const error = await source.read(0, 2 ** 52).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(FormatError);
    expect(error).toMatchObject({
      message: `source: ${2 ** 52} bytes are needed at once, more than this platform can allocate. Split the file into smaller tensors.`,
      cause: expect.any(RangeError),
    });
  });

  test("that was open before stays open", async () => {
    const file = handle(BYTES);
    await (await openSource(file)).close();
    expect(file.noted).toEqual([]);
  });
});

describe("a path", () => {
  const opened = (file: object) => {
    const paths: unknown[] = [];
    platform({
      async open(...given: unknown[]) {
        paths.push(given);
        return file;
      },
    });
    return paths;
  };

  test.each(["model.bin", "/a/model.bin", "C:\\model.bin", "a:b/model.bin", "./http:/model"])(
    "of Node: %s",
    async (path) => {
      const file = handle(BYTES);
      const paths = opened(file);
      const source = await openSource(path);
      expect([source.size, source.seekable]).toEqual([20, true]);
      expect(paths).toEqual([[path, "r"]]);
      await source.close();
      expect(file.noted).toEqual(["close"]);
    },
  );

  test.each(["file:///a/model.bin", "FILE:///a/model.bin", new URL("file:///a/model.bin")])(
    "as a URL: %s",
    async (url) => {
      const paths = opened(handle(BYTES));
      await openSource(url);
      expect(paths).toEqual([[new URL("file:///a/model.bin"), "r"]]);
    },
  );

  test("of a pipe reads forward, and closes it", async () => {
    const file = handle(BYTES, { size: 0, pipe: true });
    opened(file);
    const source = await openSource("pipe");
    expect([source.size, source.seekable]).toEqual([undefined, false]);
    expect(await source.read(0, 5)).toEqual(BYTES.subarray(0, 5));
    await source.close();
    expect(file.noted).toEqual(["stream false", "close"]);
  });

  test("of a handle that cannot tell whether it is a file", async () => {
    opened({ ...handle(BYTES), stat: async () => ({ size: 20 }) });
    expect((await openSource("model.bin")).size).toBe(20);
  });

  test("in a page is an address", async () => {
    platform(undefined);
    const fetched = vi.fn(async () => new Response(BYTES));
    vi.stubGlobal("fetch", fetched);
    for (const address of ["model.bin", "file:///a/model.bin"]) {
      expect(await (await openSource(address)).read(0, Infinity)).toEqual(BYTES);
      expect(fetched).toHaveBeenLastCalledWith(address, { headers: { Range: "bytes=0-" } });
    }
  });

  test("with a scheme that Node has no files for is an address", async () => {
    const paths = opened(handle(BYTES));
    vi.stubGlobal("fetch", async () => new Response(BYTES));
    expect(await (await openSource("s3+x.y-z://model")).read(0, Infinity)).toEqual(BYTES);
    expect(await (await openSource("DATA:,ab")).read(0, Infinity)).toEqual(BYTES);
    expect((await openSource("DATA:,ab")).size).toBe(20);
    expect(paths).toEqual([]);
  });
});

describe("saving to a path", () => {
  const tensors = () => writeSafetensors({ a: { dtype: "u8", shape: [3], data: Uint8Array.of(1, 2, 3) } });

  /** Files that note what is done with them, and fail at `failing`. */
  function recorded(failing?: string) {
    const steps: string[] = [];
    const parts: Uint8Array[] = [];
    const step = async (name: string) => {
      steps.push(name);
      if (name === failing) throw new Error(`${name} failed`);
    };
    const short = (path: string) => path.replace(/\.[\da-f-]{36}\.tmp$/, ".DRAFT");
    const file = {
      async writeFile(chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) parts.push(chunk);
        await step("write");
      },
      sync: () => step("sync"),
      close: () => step("close"),
    };
    platform({
      async open(path: string, flags: string) {
        await step(`open ${short(path)} ${flags}`);
        return file;
      },
      rename: (from: string, to: string) => step(`rename ${short(from)} ${to}`),
      rm: (path: string, options: object) => step(`rm ${short(path)} ${JSON.stringify(options)}`),
    });
    return { steps, parts };
  }

  test("writes a draft, syncs it, and puts it in the place of the old file", async () => {
    const { steps, parts } = recorded();
    await save("net", tensors());
    expect(steps).toEqual(["open net.DRAFT wx", "write", "sync", "close", "rename net.DRAFT net"]);
    expect((await readSafetensors(parts)).get("a")?.data).toEqual(Uint8Array.of(1, 2, 3));
  });

  const removed = 'rm net.DRAFT {"force":true}';
  test.each([
    ["open net.DRAFT wx", ["open net.DRAFT wx", removed]],
    ["write", ["open net.DRAFT wx", "write", "close", removed]],
    ["sync", ["open net.DRAFT wx", "write", "sync", "close", removed]],
    ["close", ["open net.DRAFT wx", "write", "sync", "close", removed]],
    [
      "rename net.DRAFT net",
      ["open net.DRAFT wx", "write", "sync", "close", "rename net.DRAFT net", removed],
    ],
  ])("that fails at %s closes and removes the draft", async (failing, expected) => {
    const { steps } = recorded(failing);
    await expect(save("net", tensors())).rejects.toThrow(`${failing} failed`);
    expect(steps).toEqual(expected);
  });

  test("is not for pages, which have none", async () => {
    platform(undefined);
    await expect(save("net", tensors())).rejects.toThrow(
      "save: net is a path, but a browser has none. Make a Blob of toBytes(…) and offer it as a download.",
    );
  });

  test("drafts do not share a name", async () => {
    const paths = new Set<string>();
    platform({
      async open(path: string) {
        paths.add(path);
        throw new Error("full");
      },
      rm: async () => {},
    });
    for (let i = 0; i < 3; i++) await expect(save("net", tensors())).rejects.toThrow("full");
    expect(paths.size).toBe(3);
  });
});

test("chunks are gathered in order, and no chunks are no bytes", async () => {
  const of = async function* (...parts: Uint8Array[]) {
    yield* parts;
  };
  expect(await toBytes(of())).toEqual(new Uint8Array());
  expect(await toBytes(of(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3)))).toEqual(
    Uint8Array.of(1, 2, 3),
  );
});
