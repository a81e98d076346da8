import { allocate, type ByteSource } from "./byte-source.ts";
import { type NodeFile, nodeFiles } from "./node-files.ts";
import { chunksOf, StreamSource, streamUrl } from "./stream-source.ts";

/**
 * Whatever a file can be read from: a URL, or a path in Node; a Blob or File; bytes; an open Node file handle; chunks
 * in order, as a stream or an iterable; or another {@link ByteSource}.
 */
export type SourceInput =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | NodeFile
  | ByteSource
  | ReadableStream<Uint8Array>
  | Iterable<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** Make a {@link ByteSource} of anything that can be read from; a string with no scheme is a path in Node, a URL in a page. */
export async function openSource(input: SourceInput): Promise<ByteSource> {
  if (typeof input === "string" || input instanceof URL) return openAddress(input);
  if (input instanceof Blob) return blobSource(input);
  if (input instanceof ArrayBuffer) return bytesSource(new Uint8Array(input));
  if (ArrayBuffer.isView(input))
    return bytesSource(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
  if (typeof input === "object" && input !== null) {
    if ("seekable" in input) return input;
    if ("stat" in input) return fileSource(input, async () => {});
    if (Symbol.iterator in input || Symbol.asyncIterator in input || "getReader" in input)
      return new StreamSource(chunksOf(input));
  }
  throw new TypeError(
    `source: ${input} is nothing to read from. Give a URL, a path, a Blob, bytes, a file handle or a stream.`,
  );
}

async function openAddress(address: string | URL): Promise<ByteSource> {
  const scheme = /^([a-z][a-z\d+.-]+):/i.exec(String(address))?.[1]?.toLowerCase();
  const files = nodeFiles();
  if (files && (!scheme || scheme === "file")) {
    const file = await files.open(scheme ? new URL(address) : address, "r");
    const close = () => file.close();
    const entry = await file.stat();
    if (entry.isDirectory?.()) {
      await close();
      throw new Error(`source: ${address} is a folder, not a file.`);
    }
    const isPipe = entry.isFile?.() === false;
    if (!isPipe) return fileSource(file, close);
    const pipe = new StreamSource(chunksOf(file.createReadStream({ autoClose: false })));
    return { seekable: false, size: undefined, read: (at, length) => pipe.read(at, length), close };
  }
  // Blobs and data are in memory already, and Node answers ranges of a blob a byte short.
  if (scheme === "blob" || scheme === "data") return blobSource(await (await fetch(address)).blob());
  return streamUrl(address);
}

const bytesSource = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  seekable: true,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
  close: async () => {},
});

const blobSource = (blob: Blob): ByteSource => ({
  size: blob.size,
  seekable: true,
  read: async (offset, length) =>
    new Uint8Array(await blob.slice(offset, Math.min(offset + length, blob.size)).arrayBuffer()),
  close: async () => {},
});

async function fileSource(file: NodeFile, close: () => Promise<void>): Promise<ByteSource> {
  const { size } = await file.stat();
  return {
    size,
    seekable: true,
    async read(offset, length) {
      const bytes = allocate(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(
          bytes,
          filled,
          Math.min(bytes.length - filled, 2 ** 30),
          offset + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    close,
  };
}
