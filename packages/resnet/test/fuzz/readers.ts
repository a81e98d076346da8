import { readFileSync, writeFileSync } from "node:fs";
import { FormatError } from "@shadegrad/tensor";
import { readNpy, toBytes, type Writable, writeNpy, writeSafetensors } from "@shadegrad/tensor/formats";
import sharp from "sharp";
import { modelOf, openCheckpoint } from "../../src/checkpoints/index.ts";
import { sealed } from "../../src/checkpoints/seal.ts";
import { decodeImage } from "../../src/data/index.ts";
import { mutated, random } from "./mutate.ts";

/** A whole file, and how it is read. */
interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  read(bytes: Uint8Array): Promise<unknown>;
}

/** Figures of a run. */
export interface Fuzzed {
  readonly files: number;
  /** Files that could still be read, and those that were refused. */
  readonly read: number;
  readonly refused: number;
  /** By the processor's time, which a busy machine does not lengthen. */
  readonly slowest: { readonly milliseconds: number; readonly file: string };
  /** The file that took the most memory: MiB above what the process had before. */
  readonly largest: { readonly mebibytes: number; readonly file: string };
  /** Most memory of the whole process, MiB. */
  readonly processMebibytes: number;
  /** Faults: errors that are no FormatError, more than 2 s, or more than 4 × the file + 64 MiB. */
  readonly faults: readonly { readonly file: string; readonly what: string; readonly bytes: Uint8Array }[];
}

const MOST_MILLISECONDS = 2000;
const MOST_BYTES = (file: number) => 4 * file + 64 * 2 ** 20;

async function readCheckpoint(input: Parameters<typeof openCheckpoint>[0]): Promise<void> {
  const checkpoint = await openCheckpoint(input);
  try {
    modelOf(checkpoint);
    for (const tensor of checkpoint.tensors.values()) await tensor.read();
  } finally {
    await checkpoint.close();
  }
}

/** A file of each format, small enough that most changes hit what describes the rest. */
export async function seeds(): Promise<Seed[]> {
  const here = (name: string) => new Uint8Array(readFileSync(new URL(`../${name}`, import.meta.url)));
  const state = new Map<string, Writable>([
    ["conv1.weight", { dtype: "f32", shape: [4, 3, 3, 3], data: new Float32Array(108).fill(0.5) }],
    ["layer1.0.conv1.weight", { dtype: "f16", shape: [4, 4, 3, 3], data: new Float32Array(144) }],
    ["layer1.0.conv2.weight", { dtype: "f32", shape: [4, 4, 3, 3], data: new Float32Array(144) }],
    ["fc.weight", { dtype: "f64", shape: [3, 4], data: new Float64Array(12) }],
    ["bn1.num_batches_tracked", { dtype: "i64", shape: [], data: BigInt64Array.of(7n) }],
    ["empty", { dtype: "u8", shape: [0, 5], data: new Uint8Array() }],
  ]);
  const plain = await toBytes(writeSafetensors(state, { resnet: '{"stemStride":1}' }));
  const seal = await sealed(state, { format: "pt" });
  const sealedFile = await toBytes(writeSafetensors(seal.tensors, seal.metadata));
  const shard = new File([plain], "a.safetensors");
  const index = { weight_map: Object.fromEntries([...state.keys()].map((name) => [name, shard.name])) };
  const weights = new File([here("checkpoints/files/keras-eps/w.bin") as Uint8Array<ArrayBuffer>], "w.bin");
  const json = (bytes: Uint8Array, name: string) => new File([bytes as Uint8Array<ArrayBuffer>], name);
  const text = (value: string) => new TextEncoder().encode(value);
  const checkpoints = {
    safetensors: plain,
    "safetensors, sealed": sealedFile,
    PyTorch: here("checkpoints/files/kinds.pt"),
    "PyTorch, wrapped": here("checkpoints/files/wrapped.pt"),
    "PyTorch, a module": here("checkpoints/files/module.pt"),
    "PyTorch, legacy": here("checkpoints/files/kinds_legacy.pt"),
    "PyTorch, hostile": here("checkpoints/files/laughs.pth"),
  };
  const npy = (dtype: "f32" | "i64", shape: readonly number[]) => {
    const count = shape.reduce((product, side) => product * side, 1);
    const data = dtype === "f32" ? new Float32Array(count) : new BigInt64Array(count);
    return toBytes(writeNpy({ dtype, shape, data }));
  };
  const picture = (format: "png" | "jpeg" | "webp" | "gif" | "tiff" | "avif", channels: 3 | 4) =>
    sharp(
      Uint8Array.from({ length: 24 * 16 * channels }, (_, i) => (i * 7) % 256),
      { raw: { width: 24, height: 16, channels } },
    )
      .toFormat(format)
      .toBuffer();
  const white = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: "white" } });
  const bmp = Uint8Array.from(
    atob("Qk0+AAAAAAAAADYAAAAoAAAAAgAAAAEAAAABABgAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAD/yBQKAAA="),
    (character) => character.charCodeAt(0),
  );
  const pictures = {
    PNG: new Uint8Array(await picture("png", 4)),
    JPEG: new Uint8Array(await picture("jpeg", 3)),
    WebP: new Uint8Array(await picture("webp", 4)),
    GIF: new Uint8Array(await picture("gif", 3)),
    TIFF: new Uint8Array(await picture("tiff", 3)),
    AVIF: new Uint8Array(await picture("avif", 3)),
    "PNG, wide": await white(60_000, 2).png().toBuffer(),
    "PNG, interlaced": await white(300, 200).png({ progressive: true }).toBuffer(),
    "JPEG, progressive": await white(300, 200).jpeg({ progressive: true }).toBuffer(),
    "WebP, lossless": await white(300, 200).webp({ lossless: true }).toBuffer(),
    BMP: bmp,
    "PPM, plain": text("P3 # a comment\n2 2\n255\n1 2 3 4 5 6 7 8 9 10 11 12"),
    "PPM, binary": text("P6\n2 2\n255\nabcdefghijkl"),
  };
  return [
    ...Object.entries(checkpoints).map(([name, bytes]) => ({ name, bytes, read: readCheckpoint })),
    {
      name: "TensorFlow.js",
      bytes: here("checkpoints/files/keras-eps/model.json"),
      read: (bytes) => readCheckpoint([json(bytes, "model.json"), weights]),
    },
    {
      name: "index of shards",
      bytes: text(JSON.stringify(index)),
      read: (bytes) => readCheckpoint([json(bytes, "model.safetensors.index.json"), shard]),
    },
    { name: "npy", bytes: await npy("f32", [3, 4]), read: readNpy },
    { name: "npy of whole numbers", bytes: await npy("i64", [5]), read: readNpy },
    ...Object.entries(pictures).map(([name, bytes]) => ({ name, bytes, read: decodeImage })),
  ];
}

/** Bytes of memory that are resident; from now on they count as the peak, where the system can do that (Linux). */
export function resetPeak(): number {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // The peak is the process's.
  }
  return peakMemory();
}

/** Most bytes that were resident since the peak was reset. */
export function peakMemory(): number {
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}

/** Change files at random and read them. File i is the same in every run with the same seed. */
export async function fuzz(
  files: number,
  seed: number,
  onProgress: (done: number, processMebibytes: number) => void = () => {},
): Promise<Fuzzed> {
  const all = await seeds();
  for (const { read, bytes, name } of all)
    await read(bytes).catch((error) => {
      if (!(error instanceof FormatError))
        throw new Error(`${name} cannot be read as it is`, { cause: error });
    });
  let read = 0;
  let refused = 0;
  let slowest = { milliseconds: 0, file: "" };
  let largest = { mebibytes: 0, file: "" };
  let processMebibytes = 0;
  const faults: Fuzzed["faults"][number][] = [];
  for (let i = 0; i < files; i++) {
    const draw = random(seed * 1_000_003 + i);
    const { name, bytes, read: reader } = all[i % all.length]!;
    const file = `${i} (${name})`;
    const copy = mutated(bytes, draw, all[draw(all.length)]!.bytes);
    const fault = (what: string) => void faults.push({ file, what, bytes: copy });
    const before = resetPeak();
    const start = process.cpuUsage();
    try {
      await reader(copy);
      read++;
    } catch (error) {
      refused++;
      if (!(error instanceof FormatError)) fault(String((error as Error)?.stack ?? error));
    }
    const { user, system } = process.cpuUsage(start);
    const milliseconds = (user + system) / 1000;
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, file };
    if (milliseconds > MOST_MILLISECONDS) fault(`${milliseconds.toFixed(0)} ms`);
    const taken = peakMemory() - before;
    processMebibytes = Math.max(processMebibytes, (before + taken) / 2 ** 20);
    if (taken > largest.mebibytes * 2 ** 20) largest = { mebibytes: taken / 2 ** 20, file };
    if (taken > MOST_BYTES(copy.length))
      fault(`${(taken / 2 ** 20).toFixed(0)} MiB for ${copy.length} bytes`);
    if (i % 1000 === 999) onProgress(i + 1, processMebibytes);
  }
  return { files, read, refused, slowest, largest, processMebibytes, faults };
}
