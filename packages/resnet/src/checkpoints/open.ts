import {
  type ByteSource,
  FormatError,
  type HostDType,
  openSource,
  type SourceInput,
} from "@shadegrad/tensor/formats";
import { type Checkpoint, type CheckpointInput, quote } from "./checkpoint-file.ts";
import { isRecord, readJson } from "./json.ts";
import { EXPECTED, FORMATS, type Kind, recognize } from "./recognize.ts";
import { openTfjs } from "./tfjs.ts";
import { unwrapped } from "./wrappers.ts";

/** Enough to recognise every format. */
const HEAD_BYTES = 512;

/**
 * Open a checkpoint of any format, recognised by its content: safetensors, PyTorch's two, a TensorFlow.js layers model, or the
 * index of a checkpoint in shards.
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
    const kind = await kindOf(source, labelOf(main));
    const checkpoint =
      kind === "json" ? await openJson(source, main, files) : await FORMATS[kind].open(source);
    return { ...checkpoint, tensors: unwrapped(checkpoint.tensors) };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The contents of a checkpoint, without its numbers. */
export interface CheckpointInfo {
  readonly format: Checkpoint["format"];
  readonly layout: Checkpoint["layout"];
  readonly tensors: ReadonlyMap<string, { readonly dtype: HostDType; readonly shape: readonly number[] }>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Read the contents of a checkpoint: its format, names, types and shapes, and the strings beside them.
 *
 * @throws FormatError if it is no checkpoint, or damaged.
 */
export async function inspectCheckpoint(input: CheckpointInput): Promise<CheckpointInfo> {
  const { format, layout, tensors, metadata, close } = await openCheckpoint(input);
  await close();
  const infos = [...tensors].map(([name, { dtype, shape }]) => [name, { dtype, shape }] as const);
  return { format, layout, tensors: new Map(infos), metadata };
}

async function kindOf(source: ByteSource, label: string): Promise<Kind> {
  const head = await source.read(0, HEAD_BYTES);
  const kind = recognize(head);
  if (kind) return kind;
  const { describeFile } = await import("./describe-file.ts");
  throw new FormatError(`${label} is ${describeFile(head, source.size!)}; ${EXPECTED}.`);
}

/** A TensorFlow.js model, or the index of a checkpoint in shards, each of which is a file of another format. */
async function openJson(
  source: ByteSource,
  main: SourceInput,
  files: readonly File[] | undefined,
): Promise<Checkpoint> {
  const file = await readJson(source, "model.json");
  if (!isRecord(file.json) || !("weight_map" in file.json))
    return openTfjs(source, file, (path) => openShard(main, files, "model.json", path));
  const { openSharded } = await import("./sharded.ts");
  return openSharded(source, file.json, async (path) => {
    const shard = await seekable(await openShard(main, files, "index.json", path));
    try {
      const kind = await kindOf(shard, path);
      if (kind === "json") throw new FormatError(`index.json: its shard ${quote(path)} is JSON, no weights.`);
      return await FORMATS[kind].open(shard);
    } catch (error) {
      await shard.close();
      throw error;
    }
  });
}

/** A source of known size that is readable at any offset: formats jump within the file. Any other is read into memory. */
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

/** Names of the file that names the others, the likelier first: a folder may hold more JSON. */
const JSON_NAMES = [/\.index\.json$/i, /^model\.json$/i, /\.json$/i];

function mainOf(files: readonly File[]): File {
  const [main] =
    files.length === 1
      ? files
      : JSON_NAMES.flatMap((pattern) => files.find(({ name }) => pattern.test(name)) ?? []);
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
  label: string,
  path: string,
): Promise<ByteSource> {
  if (files) {
    const name = path.split("/").at(-1);
    const file = files.find((candidate) => candidate.name === name);
    if (!file)
      throw new FormatError(
        `${label}: its shard ${quote(path)} is not among the ${files.length} files given.`,
      );
    return openSource(file);
  }
  if (typeof main !== "string" && !(main instanceof URL))
    throw new FormatError(
      `${label}: its shard ${quote(path)} lies beside it, but of bytes nobody knows where. Give its path, its URL, or all its files.`,
    );
  const isUrl = main instanceof URL || /^[a-z][a-z\d+.-]+:/i.test(main);
  if (isUrl) return openSource(new URL(path.split("/").map(encodeURIComponent).join("/"), main));
  return openSource(main.replace(/[^/\\]*$/, () => path));
}

/** Name of the file, for messages. */
function labelOf(input: SourceInput): string {
  if (typeof input === "string" || input instanceof URL) return String(input).slice(0, 200);
  return typeof File !== "undefined" && input instanceof File ? input.name : "checkpoint: this";
}
