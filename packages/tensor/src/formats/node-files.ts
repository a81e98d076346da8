/** Members used of a file handle of `node:fs/promises`. */
export interface NodeFile {
  /** `isFile` is false for a pipe, whose size nobody knows, and for a folder. */
  stat(): Promise<{ size: number; isFile?(): boolean; isDirectory?(): boolean }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

interface WritableNodeFile extends NodeFile {
  createReadStream(options: { autoClose: boolean }): AsyncIterable<Uint8Array>;
  writeFile(chunks: AsyncIterable<Uint8Array>): Promise<void>;
  sync(): Promise<void>;
}

interface NodeFiles {
  open(path: string | URL, flags: "r" | "wx"): Promise<WritableNodeFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: boolean }): Promise<void>;
}

interface MaybeNode {
  process?: { getBuiltinModule?: (name: string) => unknown };
}

/** Node's files, or undefined in a browser; asked of the process, so that no bundler sees an import to resolve. */
export const nodeFiles = () =>
  (globalThis as MaybeNode).process?.getBuiltinModule?.("node:fs/promises") as NodeFiles | undefined;
