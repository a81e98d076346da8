import { openSource } from "@shadegrad/tensor/formats";
import { afterEach, describe, expect, test, vi } from "vitest";

const ADDRESS = "https://example.org/model.bin";
const MIB = 1 << 20;
const BYTES = Uint8Array.from({ length: 4 * MIB }, (_, i) => i >> 12);

afterEach(() => vi.unstubAllGlobals());

interface Request {
  first: number;
  cancelled: boolean;
}

/** Stands for `fetch`, and for a server with ranges whose body comes in chunks; the requests that it got. */
function serve({
  chunk = 1 << 16,
  answer = (headers: Record<string, string>, _: number): ResponseInit => ({ status: 206, headers }),
} = {}) {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (_: string, { headers }: { headers: { Range: string } }) => {
    const request = { first: Number(/^bytes=(\d+)-$/.exec(headers.Range)![1]), cancelled: false };
    requests.push(request);
    let at = request.first;
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (at >= BYTES.length) controller.close();
          else controller.enqueue(BYTES.slice(at, at + chunk));
          at += chunk;
        },
        cancel() {
          request.cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    const range = { "Content-Range": `bytes ${request.first}-${BYTES.length - 1}/${BYTES.length}` };
    return new Response(body, answer(range, requests.length));
  });
  return requests;
}

const firsts = (requests: Request[]) => requests.map(({ first }) => first);

describe("a server with ranges", () => {
  test("is asked again for what lies more than a mebibyte ahead, after the old request was cancelled", async () => {
    for (const [ahead, expected] of [
      [MIB, [0]],
      [MIB + 1, [0, MIB + 3]],
    ] as const) {
      const requests = serve();
      const source = await openSource(ADDRESS);
      await source.read(0, 2);
      expect(await source.read(2 + ahead, 3)).toEqual(BYTES.slice(2 + ahead, 5 + ahead));
      expect(firsts(requests)).toEqual(expected);
      expect(requests[0]!.cancelled).toBe(expected.length > 1);
      expect(requests.at(-1)!.cancelled).toBe(false);
      await source.close();
      expect(requests.at(-1)!.cancelled).toBe(true);
    }
  });

  test("is asked again for the byte before, not for the one at hand", async () => {
    const requests = serve();
    const source = await openSource(ADDRESS);
    expect([source.size, source.seekable]).toEqual([BYTES.length, true]);
    await source.read(0, 10);
    await source.read(10, 10);
    expect(firsts(requests)).toEqual([0]);
    expect(await source.read(19, 1)).toEqual(BYTES.slice(19, 20));
    expect(firsts(requests)).toEqual([0, 19]);
  });

  test("is not asked for what lies behind its end", async () => {
    const requests = serve();
    const source = await openSource(ADDRESS);
    expect(await source.read(BYTES.length, 1)).toHaveLength(0);
    expect(await source.read(2 * BYTES.length, 1)).toHaveLength(0);
    expect(firsts(requests)).toEqual([0]);
    expect(await source.read(BYTES.length - 1, 5)).toEqual(BYTES.slice(-1));
  });

  test("is asked again where a connection broke, for the byte that it broke at", async () => {
    vi.stubGlobal("fetch", async (_: string, { headers }: { headers: { Range: string } }) => {
      const first = Number(/\d+/.exec(headers.Range)![0]);
      const chunks = [BYTES.slice(first, first + 40)];
      const body = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            const chunk = chunks.pop();
            if (chunk) controller.enqueue(chunk);
            else controller.error(new Error("the cable was cut"));
          },
        },
        { highWaterMark: 0 },
      );
      const range = `bytes ${first}-${BYTES.length - 1}/${BYTES.length}`;
      return new Response(body, { status: 206, headers: { "Content-Range": range } });
    });
    const source = await openSource(ADDRESS);
    await expect(source.read(40, 10)).rejects.toThrow("the cable was cut");
    expect(await source.read(40, 10)).toEqual(BYTES.slice(40, 50));
  });

  test("that has none any more", async () => {
    serve({
      answer: (headers, times) => (times === 1 ? { status: 206, headers } : { status: 200, headers: {} }),
    });
    const source = await openSource(ADDRESS);
    await expect(source.read(3 * MIB, 1)).rejects.toThrow(
      `source: ${ADDRESS} had ${BYTES.length} bytes and now answers with no range. Open it again.`,
    );
  });

  test("that fails when it is asked again", async () => {
    serve({
      answer: (headers, times) => (times === 2 ? { status: 503, headers: {} } : { status: 206, headers }),
    });
    const source = await openSource(ADDRESS);
    await expect(source.read(3 * MIB, 1)).rejects.toThrow(`source: ${ADDRESS} answered 503`);
    expect(await source.read(3 * MIB, 2)).toEqual(BYTES.slice(3 * MIB, 3 * MIB + 2));
  });
});

test.each([
  ["no size", { status: 206, headers: { "Content-Range": `bytes 0-${BYTES.length - 1}/*` } }],
  ["another unit", { status: 206, headers: { "Content-Range": `lines 0-9/10` } }],
  ["another beginning", { status: 206, headers: { "Content-Range": `bytes 1-9/10` } }],
  ["more before the unit", { status: 206, headers: { "Content-Range": "x bytes 0-9/10" } }],
  ["more after the size", { status: 206, headers: { "Content-Range": "bytes 0-9/10x" } }],
  ["a whole file", { status: 200, headers: { "Content-Range": `bytes 0-9/10` } }],
])("an answer with %s is a stream", async (_, answer) => {
  serve({ answer: () => answer as { status: number; headers: Record<string, string> } });
  const source = await openSource(ADDRESS);
  expect([source.size, source.seekable]).toEqual([undefined, false]);
  expect(await source.read(MIB, 2)).toEqual(BYTES.slice(MIB, MIB + 2));
});

test.each([
  [
    "the reason",
    new TypeError("fetch failed", { cause: new Error("certificate expired") }),
    "certificate expired",
  ],
  [
    "the code of a reason without a message",
    new TypeError("fetch failed", { cause: Object.assign(new Error(""), { code: "ECONNREFUSED" }) }),
    "ECONNREFUSED",
  ],
  ["the message where no reason is given", new TypeError("Failed to fetch"), "Failed to fetch"],
  [
    "the message where the reason is empty",
    new TypeError("fetch failed", { cause: new Error("") }),
    "fetch failed",
  ],
  ["the message where the reason is no error", new TypeError("fetch failed", { cause: "x" }), "fetch failed"],
])("an address that cannot be fetched is named, with %s", async (_, cause, reason) => {
  vi.stubGlobal("fetch", () => Promise.reject(cause));
  await expect(openSource(ADDRESS)).rejects.toMatchObject({
    message: `source: ${ADDRESS} cannot be fetched: ${reason}.`,
    cause,
  });
});

test("an empty file may be answered with words about its range", async () => {
  vi.stubGlobal("fetch", async () => new Response("Range Not Satisfiable", { status: 416 }));
  const source = await openSource(ADDRESS);
  expect(await source.read(0, Infinity)).toHaveLength(0);
  expect(source.size).toBe(0);
});

describe("a stream", () => {
  test("that failed can be closed", async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("the cable was cut"));
      },
    });
    const source = await openSource({ getReader: () => stream.getReader() } as ReadableStream<Uint8Array>);
    await expect(source.read(0, 1)).rejects.toThrow("the cable was cut");
    await source.close();
  });

  test("that cannot be begun again stays where it is after a failure", async () => {
    let failures = 1;
    const chunks: AsyncIterableIterator<Uint8Array> = {
      async next() {
        if (failures-- > 0) throw new Error("not yet");
        return { done: false, value: Uint8Array.of(1, 2, 3) };
      },
      [Symbol.asyncIterator]: () => chunks,
    };
    const source = await openSource(chunks);
    await expect(source.read(0, 2)).rejects.toThrow("not yet");
    expect(await source.read(0, 2)).toEqual(Uint8Array.of(1, 2));
    expect(await source.read(2, 2)).toEqual(Uint8Array.of(3, 1));
    await source.close();
  });

  test("without a return is closed by being left", async () => {
    const source = await openSource({ [Symbol.iterator]: () => [Uint8Array.of(1)].values() });
    await source.close();
    expect(await source.read(0, 1)).toEqual(Uint8Array.of(1));
  });

  test("grows what it is read into, and gives no more than was asked for", async () => {
    const sizes = [5, MIB, 3, 8 * MIB, 7];
    const chunks = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
    const source = await openSource(chunks);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const found = await source.read(0, total - 2);
    expect(found.length).toBe(total - 2);
    const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size, 0));
    for (const [i, end] of ends.slice(0, -1).entries())
      expect([found[end - 1], found[end]]).toEqual([i + 1, i + 2]);
    expect(await source.read(total - 2, Infinity)).toEqual(Uint8Array.of(5, 5));
    expect(source.size).toBe(total);
    // Memory for more than has come is not asked for, which would fail here.
    const again = await openSource(chunks);
    expect(await again.read(0, 2 ** 49)).toHaveLength(total);
  });
});
