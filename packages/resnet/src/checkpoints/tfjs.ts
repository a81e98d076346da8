import {
  type ByteSource,
  bytesPerElement,
  FormatError,
  fromFloat16Bits,
  type HostDType,
  type HostTensor,
  hostTensor,
  toFloat32,
} from "@shadegrad/tensor/formats";
import { IMAGENET_RESNET50_EPSILON } from "../data/imagenet.ts";
import { type Checkpoint, type CheckpointTensor, quote } from "./checkpoint-file.ts";
import { isRecord, type JsonFile, shown } from "./json.ts";
import { kerasEpsilons } from "./keras-epsilon.ts";
import { sha256 } from "./sha256.ts";
import { Shards, shardPath } from "./shards.ts";

/** Shards that any model may have, and the bytes that each further one must have on average. */
const FREE_SHARDS = 16;
const SHARD_BYTES = 1 << 16;

const DTYPES: Readonly<Record<string, HostDType>> = {
  float32: "f32",
  float16: "f16",
  int32: "i32",
  uint8: "u8",
  uint16: "u16",
  bool: "bool",
};

/** Storage of numbers in a narrower type: value = stored · scale + min, or as float16. */
interface Quantization {
  readonly dtype: HostDType;
  readonly scale: number;
  readonly min: number;
}

interface Weight {
  readonly name: string;
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly quantization: Quantization | undefined;
}

/**
 * Open a TensorFlow.js layers model: `model.json`, whose `weightsManifest` names the tensors, and the shards beside it.
 *
 * `openShard` finds a file by the path that the manifest gives. Follows
 * https://github.com/tensorflow/tfjs/tree/master/tfjs-converter#format-of-modeljson.
 *
 * @throws FormatError if the JSON is no such model, or says what cannot be.
 */
export async function openTfjs(
  source: ByteSource,
  { json, bytes }: JsonFile,
  openShard: (path: string) => Promise<ByteSource>,
): Promise<Checkpoint> {
  const model = checkedModel(json);
  const epsilonOf = await epsilonByName(model, bytes);
  const tensors = new Map<string, CheckpointTensor>();
  for (const group of list(model.weightsManifest, "weightsManifest")) {
    const { paths, weights } = record(group, "a group of weightsManifest");
    const names = list(paths, "paths").map((path) => shardPath(path, damaged));
    const shards = new Shards(names, openShard);
    let start = 0;
    for (const entry of list(weights, "weights")) {
      const weight = parseWeight(entry);
      const [at, length] = [
        start,
        weight.elements * bytesPerElement(weight.quantization?.dtype ?? weight.dtype),
      ];
      start += length;
      if (tensors.has(weight.name)) throw damaged(`${quote(weight.name)} comes twice`);
      const { dtype, shape } = weight;
      tensors.set(weight.name, {
        dtype,
        shape,
        epsilon: epsilonOf(weight.name),
        read: async () => dequantize(weight, await shards.read(weight.name, at, length)),
      });
    }
    // Each is opened in turn to find where the next begins.
    if (names.length > FREE_SHARDS + start / SHARD_BYTES)
      throw damaged(`it has ${names.length} shards for ${start} bytes of weights`);
  }
  const metadata = new Map<string, string>();
  for (const key of ["format", "generatedBy", "convertedBy"]) {
    if (typeof model[key] === "string") metadata.set(key, model[key]);
  }
  return { format: "TensorFlow.js", layout: "engine", tensors, metadata, close: () => source.close() };
}

/** The epsilon that belongs to a batch norm's variance, by the variance's name. */
async function epsilonByName(
  model: Record<string, unknown>,
  bytes: Uint8Array,
): Promise<(name: string) => number | undefined> {
  const epsilons = kerasEpsilons(model.modelTopology);
  const corrected = await correctedEpsilon(bytes);
  return (name) => {
    const [, layer, last] = /^((?:.*\/)?([^/]+))\/moving_variance$/.exec(name) ?? [];
    const own = epsilons.get(layer!) ?? epsilons.get(last!);
    return own === undefined ? undefined : (corrected ?? own);
  };
}

/** The epsilon of a published model whose model.json has it wrong. */
async function correctedEpsilon(bytes: Uint8Array): Promise<number | undefined> {
  const { modelJson, epsilon } = IMAGENET_RESNET50_EPSILON;
  if (bytes.length !== modelJson.bytes) return undefined;
  return (await sha256(bytes)) === modelJson.sha256 ? epsilon : undefined;
}

function checkedModel(json: unknown): Record<string, unknown> {
  const model = record(json, "the model");
  if (model.format === "graph-model")
    throw damaged("this is a graph model, whose weights have no layers' names", "Expected a layers model");
  if (!("weightsManifest" in model))
    throw damaged(
      `there is no weightsManifest among ${Object.keys(model).slice(0, 8).map(quote).join(", ") || "its fields"}`,
      "Expected the model.json of a TensorFlow.js layers model",
    );
  return model;
}

function parseWeight(entry: unknown): Weight {
  const { name, shape, dtype, quantization } = record(entry, "a weight");
  if (typeof name !== "string") throw damaged("a weight has no name");
  const sides = list(shape, `the shape of ${quote(name)}`);
  const whole = sides.every((side) => Number.isSafeInteger(side) && (side as number) >= 0);
  const elements = whole ? (sides as number[]).reduce((count, side) => count * side, 1) : Number.NaN;
  if (!(elements < 2 ** 50))
    throw damaged(`${quote(name)} has shape ${shown(sides)}, not whole numbers ≥ 0 of some size`);
  const own = dtypeOf(dtype, name);
  return {
    name,
    dtype: own,
    shape: sides as number[],
    elements,
    quantization: parseQuantization(quantization, own, name),
  };
}

function parseQuantization(value: unknown, own: HostDType, name: string): Quantization | undefined {
  if (value === undefined || value === null) return undefined;
  const { dtype, scale = 1, min = 0, original_dtype } = record(value, `the quantization of ${quote(name)}`);
  const stored = dtypeOf(dtype, name);
  const isKnown = stored === "f16" || stored === "u8" || stored === "u16";
  if (!isKnown || own !== "f32" || (original_dtype ?? "float32") !== "float32")
    throw damaged(
      `${quote(name)} is ${own} quantized as ${shown(dtype)}`,
      "Only float32 as float16, uint8 or uint16 is read",
    );
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    throw damaged(`${quote(name)} has scale ${shown(scale)} and min ${shown(min)}, not numbers`);
  return { dtype: stored, scale: scale as number, min: min as number };
}

function dequantize({ dtype, shape, quantization }: Weight, bytes: Uint8Array): HostTensor {
  if (!quantization) return hostTensor(dtype, shape, bytes);
  const stored = hostTensor(quantization.dtype, shape, bytes);
  const { scale, min } = quantization;
  const data =
    stored.dtype === "f16"
      ? fromFloat16Bits(stored.data)
      : toFloat32(stored).map((value) => value * scale + min);
  return { dtype: "f32", shape, data };
}

function dtypeOf(dtype: unknown, name: string): HostDType {
  const known = typeof dtype === "string" && Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  if (!known)
    throw damaged(
      `${quote(name)} has dtype ${quote(shown(dtype))}, not one of ${Object.keys(DTYPES).join(" ")}`,
    );
  return known;
}

function list(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw damaged(`${what} is no list`);
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw damaged(`${what} is no object`);
}

const damaged = (what: string, advice = "Fetch the file again, or convert the model again") =>
  new FormatError(`model.json: ${what}. ${advice}.`);
