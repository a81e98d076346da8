import {
  type ByteSource,
  FormatError,
  type HostDType,
  openSafetensors,
  openSource,
  type SourceInput,
} from "@shadegrad/tensor/formats";
import { type Checkpoint, type CheckpointInput, quote } from "./checkpoint.ts";
import { type Kind, recognize } from "./recognize.ts";
import { openTfjs } from "./tfjs.ts";

const EXPECTED = "expected safetensors, a PyTorch checkpoint or a TensorFlow.js model.json";

/** Enough to recognise every format. */
const HEAD_BYTES = 512;

/** Prefixes that wrappers of a net give to all names: DataParallel and torch.compile. */
const WRAPPERS = ["module.", "_orig_mod."];

/**
 * Open a checkpoint of any format, told by its content: safetensors, PyTorch's two, or a TensorFlow.js layers model.
 *
 * Only what describes the tensors is read; of a PyTorch file that is a pickle, of which nothing is executed.
 *
 * @throws FormatError if it is something else, and says what; or if it is damaged.
 */
export async function openCheckpoint(input: CheckpointInput): Promise<Checkpoint> {
  const files = filesOf(input);
  const main = files ? mainOf(files) : (input as SourceInput);
  const source = await seekable(await openSource(main));
  try {
    const kind = recognize(await source.read(0, HEAD_BYTES), source.size!);
    if (typeof kind === "object") throw new FormatError(`${labelOf(main)} is ${kind.what}; ${EXPECTED}.`);
    return unwrapped(await READERS[kind](source, (path) => openShard(main, files, path)));
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** What a checkpoint holds, without its numbers. */
export interface CheckpointInfo {
  readonly format: Checkpoint["format"];
  readonly layout: Checkpoint["layout"];
  readonly tensors: ReadonlyMap<string, { readonly dtype: HostDType; readonly shape: readonly number[] }>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * What a checkpoint holds: its format, names, types and shapes, and the strings beside them.
 *
 * @throws FormatError if it is no checkpoint, or damaged.
 */
export async function inspectCheckpoint(input: CheckpointInput): Promise<CheckpointInfo> {
  const { format, layout, tensors, metadata, close } = await openCheckpoint(input);
  await close();
  const infos = [...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const);
  return { format, layout, tensors: new Map(infos), metadata };
}

async function safetensors(source: ByteSource): Promise<Checkpoint> {
  const file = await openSafetensors(source);
  return {
    format: "safetensors",
    layout: "torch",
    tensors: file.entries,
    metadata: file.metadata,
    close: () => source.close(),
  };
}

type Reader = (source: ByteSource, openShard: (path: string) => Promise<ByteSource>) => Promise<Checkpoint>;

/** A page fetches what reads PyTorch's files when it is given one. */
const READERS: Readonly<Record<Kind, Reader>> = {
  safetensors,
  tfjs: openTfjs,
  "torch-zip": async (source) => (await import("./torch-zip.ts")).openTorchZip(source),
  "torch-legacy": async (source) => (await import("./torch-legacy.ts")).openTorchLegacy(source),
};

/** The formats are read back and forth; of a source that only goes forth, everything is kept. */
async function seekable(source: ByteSource): Promise<ByteSource> {
  if (source.seekable && source.size !== undefined) return source;
  try {
    return await openSource(await source.read(0, Infinity));
  } finally {
    await source.close();
  }
}

function filesOf(input: CheckpointInput): readonly File[] | undefined {
  if (typeof FileList !== "undefined" && input instanceof FileList) return [...input];
  return Array.isArray(input) && input.length > 0 && input.every((item) => item instanceof File)
    ? input
    : undefined;
}

function mainOf(files: readonly File[]): File {
  const main = files.length === 1 ? files[0] : files.find(({ name }) => /\.json$/i.test(name));
  if (main) return main;
  throw new FormatError(
    `checkpoint: there is no .json among ${files.length} files, ${files
      .slice(0, 4)
      .map(({ name }) => quote(name))
      .join(", ")} …; give one file, or model.json and its shards.`,
  );
}

async function openShard(
  main: SourceInput,
  files: readonly File[] | undefined,
  path: string,
): Promise<ByteSource> {
  if (files) {
    const name = path.split("/").at(-1);
    const file = files.find((candidate) => candidate.name === name);
    if (!file)
      throw new FormatError(
        `model.json: its shard ${quote(path)} is not among the ${files.length} files given.`,
      );
    return openSource(file);
  }
  if (typeof main !== "string" && !(main instanceof URL))
    throw new FormatError(
      `model.json: its shard ${quote(path)} lies beside it, but of bytes nobody knows where. Give its path, its URL, or all its files.`,
    );
  const isUrl = main instanceof URL || /^[a-z][a-z\d+.-]+:/i.test(main);
  if (isUrl) return openSource(new URL(path.split("/").map(encodeURIComponent).join("/"), main));
  return openSource(main.replace(/[^/\\]*$/, () => path));
}

function unwrapped(checkpoint: Checkpoint): Checkpoint {
  let tensors = checkpoint.tensors;
  for (const prefix of WRAPPERS) {
    const names = [...tensors.keys()];
    if (names.length > 0 && names.every((name) => name.startsWith(prefix)))
      tensors = new Map([...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  }
  return { ...checkpoint, tensors };
}

/** The file, as a message names it. */
function labelOf(input: SourceInput): string {
  if (typeof input === "string" || input instanceof URL) return String(input).slice(0, 200);
  return typeof File !== "undefined" && input instanceof File ? input.name : "checkpoint: this";
}
