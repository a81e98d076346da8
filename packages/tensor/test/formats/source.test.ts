import {
  openSafetensors,
  openSource,
  readSafetensors,
  toBytes,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { afterEach, describe, expect, test, vi } from "vitest";
import { chunked } from "./arbitrary.ts";

const BYTES = Uint8Array.from({ length: 200 }, (_, i) => i);
const URL_OF_FILE = "https://example.org/model.safetensors";

afterEach(() => vi.unstubAllGlobals());

function streamOf(bytes: Uint8Array, onCancel = () => {}): ReadableStream<Uint8Array> {
  const chunks = chunked(bytes, [7, 0, 50, 1]);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: onCancel,
  });
}

interface Server {
  ranges: boolean;
  /** A page of another origin does not see Content-Range. */
  hidden?: boolean;
  size?: () => number;
}

/** Stands for `fetch`; the requests it got, by their first byte. */
function serve(bytes: Uint8Array, { ranges, hidden, size = () => bytes.length }: Server): number[] {
  const requests: number[] = [];
  vi.stubGlobal("fetch", async (_: string, { headers }: { headers: { Range: string } }) => {
    const first = Number(/^bytes=(\d+)-$/.exec(headers.Range)![1]);
    requests.push(first);
    if (!ranges) return new Response(streamOf(bytes));
    if (first >= size()) return new Response(null, { status: 416 });
    const answer = { "Content-Range": `bytes ${first}-${size() - 1}/${size()}` };
    return new Response(streamOf(bytes.subarray(first)), { status: 206, headers: hidden ? {} : answer });
  });
  return requests;
}

test.each<[string, () => Parameters<typeof openSource>[0]]>([
  ["a Uint8Array", () => BYTES],
  ["a view of a part of its buffer", () => Uint8Array.of(9, 9, ...BYTES).subarray(2)],
  ["an ArrayBuffer", () => BYTES.slice().buffer],
  ["a DataView", () => new DataView(BYTES.buffer)],
  ["a Blob", () => new Blob([BYTES])],
  ["a File", () => new File([BYTES], "a.bin")],
  ["a blob: URL", () => URL.createObjectURL(new Blob([BYTES]))],
  ["a data: URL", () => `data:application/octet-stream;base64,${btoa(String.fromCharCode(...BYTES))}`],
])("%s reads at any offset, and no further than its end", async (_, input) => {
  const source = await openSource(input());
  expect([source.size, source.seekable]).toEqual([200, true]);
  expect([...(await source.read(190, 5))]).toEqual([190, 191, 192, 193, 194]);
  expect([...(await source.read(0, 2))]).toEqual([0, 1]);
  expect([...(await source.read(198, 10))]).toEqual([198, 199]);
  expect(await source.read(200, 1)).toHaveLength(0);
  expect(await source.read(300, 1)).toHaveLength(0);
  expect(await source.read(3, 0)).toHaveLength(0);
  expect(await source.read(0, Infinity)).toEqual(BYTES);
  await source.close();
});

test.each<[string, () => Parameters<typeof openSource>[0]]>([
  ["an iterable", () => chunked(BYTES, [3, 0, 0, 100])],
  ["an array of chunks", () => [...chunked(BYTES, [3, 0, 0, 100])]],
  [
    "an async iterable",
    async function* () {
      yield* chunked(BYTES, [3, 0, 0, 100]);
    },
  ],
  ["a ReadableStream", () => streamOf(BYTES)],
])("%s reads forward, and knows its size at its end", async (_, input) => {
  const source = await openSource(input());
  expect([source.size, source.seekable]).toEqual([undefined, false]);
  expect([...(await source.read(2, 3))]).toEqual([2, 3, 4]);
  expect([...(await source.read(100, 2))]).toEqual([100, 101]);
  await expect(source.read(101, 1)).rejects.toThrow(
    "source: byte 101 was asked for, but the stream is past it, at byte 102.",
  );
  expect(await source.read(102, Infinity)).toEqual(BYTES.subarray(102));
  expect(source.size).toBe(200);
  await source.close();
});

test.each([0, 1])("closing cancels the stream after %i bytes", async (length) => {
  const cancelled = vi.fn();
  const source = await openSource(streamOf(BYTES, cancelled));
  await source.read(0, length);
  await source.close();
  expect(cancelled).toHaveBeenCalledOnce();
});

test("a stream that is not iterable, as in older browsers, is read by its reader", async () => {
  const cancelled = vi.fn();
  const stream = streamOf(BYTES, cancelled);
  const source = await openSource({ getReader: () => stream.getReader() } as ReadableStream<Uint8Array>);
  expect(await source.read(3, 20)).toEqual(BYTES.subarray(3, 23));
  await source.close();
  expect(cancelled).toHaveBeenCalledOnce();
});

test("a file that is none is closed before the error is thrown", async () => {
  const cancelled = vi.fn();
  await expect(openSafetensors(streamOf(new Uint8Array(200), cancelled))).rejects.toThrow("safetensors:");
  expect(cancelled).toHaveBeenCalledOnce();
});

test.each([undefined, null, 3, {}])("%s is nothing to read from", async (input) => {
  await expect(openSource(input as unknown as string)).rejects.toThrow(
    `source: ${input} is nothing to read from. Give a URL`,
  );
});

test("a chunk that is no bytes", async () => {
  const source = await openSource(["text"] as unknown as Uint8Array[]);
  await expect(source.read(0, 1)).rejects.toThrow("source: a chunk is string, not a Uint8Array.");
});

test("a stream's own failure comes through as it is", async () => {
  const failing = async function* () {
    yield BYTES;
    throw new Error("the cable was cut");
  };
  const source = await openSource(failing());
  await expect(source.read(0, 300)).rejects.toThrow("the cable was cut");
});

describe("URLs", () => {
  const large = async () => {
    const data = Float32Array.from({ length: 1 << 19 }, (_, i) => i);
    return toBytes(
      writeSafetensors(
        ["a", "b", "c"].map((name) => [name, { dtype: "f32", shape: [1 << 19], data } as const]),
      ),
    );
  };

  test("in order, one request is enough", async () => {
    const requests = serve(await large(), { ranges: true });
    const tensors = await readSafetensors(new URL(URL_OF_FILE));
    expect(tensors.get("c")?.data[12345]).toBe(12345);
    expect(requests).toEqual([0]);
  });

  test("a server with ranges is asked again for what lies behind or far ahead", async () => {
    const bytes = await large();
    const requests = serve(bytes, { ranges: true });
    const file = await openSafetensors(URL_OF_FILE);
    const dataStart = bytes.length - 3 * (1 << 21);
    const last = (name: string) =>
      file
        .get(name)
        .float32()
        .then((values) => values.at(-1));
    expect(await Promise.all([last("c"), last("a"), last("b")])).toEqual(Array(3).fill((1 << 19) - 1));
    expect(requests).toEqual([0, dataStart + 2 * (1 << 21), dataStart]);
    await file.close();
  });

  test.each([{ ranges: false }, { ranges: true, hidden: true }])(
    "without ranges it is a stream: %o",
    async (server) => {
      const requests = serve(await large(), server);
      const file = await openSafetensors(URL_OF_FILE);
      await file.get("b").bytes();
      await expect(file.get("a").bytes()).rejects.toThrow("the stream is past it");
      expect((await file.get("c").float32()).at(-1)).toBe((1 << 19) - 1);
      expect(requests).toEqual([0]);
    },
  );

  test("a server that claims more than it sends is not believed", async () => {
    serve(BYTES, { ranges: true, size: () => 2 ** 50 });
    const source = await openSource(URL_OF_FILE);
    expect(await source.read(0, 2 ** 49)).toEqual(BYTES);
  });

  test("a file that changes between requests", async () => {
    const bytes = await large();
    let size = bytes.length;
    serve(bytes, { ranges: true, size: () => size });
    const file = await openSafetensors(URL_OF_FILE);
    size--;
    await expect(file.get("c").bytes()).rejects.toThrow(
      `source: ${URL_OF_FILE} had ${bytes.length} bytes and now answers with ${size}.`,
    );
  });

  test("a connection that breaks fails one read, and the next makes another", async () => {
    let breaks = 1;
    vi.stubGlobal("fetch", async (_: string, { headers }: { headers: { Range: string } }) => {
      const first = Number(/\d+/.exec(headers.Range)![0]);
      const body = async function* () {
        yield BYTES.subarray(first, first + 50);
        if (breaks-- > 0) throw new Error("the cable was cut");
        yield BYTES.subarray(first + 50);
      };
      const chunks = body();
      const stream = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
      return new Response(stream, { status: 206, headers: { "Content-Range": `bytes ${first}-199/200` } });
    });
    const source = await openSource(URL_OF_FILE);
    await expect(source.read(40, 100)).rejects.toThrow("the cable was cut");
    expect(await source.read(40, 100)).toEqual(BYTES.subarray(40, 140));
  });

  test("an empty file, and a missing one", async () => {
    serve(new Uint8Array(), { ranges: true });
    await expect(openSafetensors(URL_OF_FILE)).rejects.toThrow("safetensors: the source has 0 bytes");
    vi.stubGlobal("fetch", async () => new Response("", { status: 404, statusText: "Not Found" }));
    await expect(openSafetensors(URL_OF_FILE)).rejects.toThrow(
      `source: ${URL_OF_FILE} answered 404 Not Found.`,
    );
  });
});
