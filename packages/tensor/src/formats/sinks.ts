import { nodeFiles } from "./node-files.ts";

/** Gather the chunks of a file in memory, as for a Blob to download. */
export async function toBytes(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of chunks) {
    parts.push(part);
    length += part.length;
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/**
 * Write the chunks of a file to a path, in Node: whoever opens the path sees the old file or the whole new one.
 *
 * @throws Error in a browser, which has no paths.
 */
export async function save(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const files = nodeFiles();
  if (!files)
    throw new Error(
      `save: ${path} is a path, but a browser has none. Make a Blob of toBytes(…) and offer it as a download.`,
    );
  const draft = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = await files.open(draft, "wx");
    try {
      await file.writeFile(chunks);
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(draft, path);
  } catch (error) {
    await files.rm(draft, { force: true });
    throw error;
  }
}
