import { checkOptions } from "@shadegrad/tensor";
import { save, toBytes, type Writable, writeSafetensors } from "@shadegrad/tensor/formats";
import { torchStateDict } from "@shadegrad/tensor/nn";
import type { ResNetOptions } from "../base.ts";
import { FASTNET_KEY, FastNet } from "../fast/fastnet.ts";
import { torchvisionName } from "../names.ts";
import type { Preprocessing } from "../preprocessing.ts";
import { ResNet } from "../zoo.ts";
import { batchNormsOf, TORCH_EPSILON } from "./load.ts";
import { sealed } from "./seal.ts";

export interface SaveOptions {
  /** Preprocessing of the pixels that the net expects; if absent, that of a `ResNet` itself. */
  preprocessing?: Preprocessing | undefined;
  /** Strings to keep with the weights: how the net was trained, where it came from. */
  metadata?: Readonly<Record<string, string>>;
}

const OPTIONS: readonly (keyof SaveOptions)[] = ["preprocessing", "metadata"];

/**
 * Write a net's weights as safetensors with PyTorch's layouts, and a ResNet's under torchvision's names, so that
 * torchvision loads them, with a SHA-256 of each tensor and of the header: to a path in Node, where whoever opens it finds the old file or the whole new one; or to a
 * stream, such as a browser's `FileSystemFileHandle` makes.
 *
 * @throws Error for a path in a browser, which has none; see {@link checkpointBytes}.
 */
export async function saveCheckpoint(
  model: object,
  destination: string | WritableStream<Uint8Array>,
  options: SaveOptions = {},
): Promise<void> {
  checkOptions("saveCheckpoint", options, OPTIONS);
  const chunks = writeCheckpoint(model, options);
  if (typeof destination === "string") return save(destination, chunks);
  if (typeof destination?.getWriter !== "function")
    throw new TypeError(`saveCheckpoint: ${destination} is no path and no stream to write to.`);
  const writer = destination.getWriter();
  try {
    for await (const chunk of chunks) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

/** The bytes that {@link saveCheckpoint} writes, in memory: `new Blob([await checkpointBytes(model)])` can be downloaded. */
export async function checkpointBytes(
  model: object,
  options: SaveOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkOptions("checkpointBytes", options, OPTIONS);
  return toBytes(writeCheckpoint(model, options));
}

async function* writeCheckpoint(
  model: object,
  { metadata = {}, ...options }: SaveOptions,
): AsyncGenerator<Uint8Array> {
  const state = torchStateDict(model);
  const net = model instanceof ResNet ? model : undefined;
  const preprocessing = options.preprocessing ?? net?.preprocessing;
  // Transformers and others ask whose layout it is.
  const notes: Record<string, string> = {
    format: "pt",
    ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }),
    ...(net?.labels && { labels: JSON.stringify(net.labels) }),
    ...metadata,
  };
  const named = model instanceof ResNet ? torchvisionState(model, state) : state;
  if (model instanceof FastNet) notes[FASTNET_KEY] = JSON.stringify(model.options);
  if (model instanceof ResNet) notes.resnet ??= JSON.stringify({ ...UNNAMED, ...model.options });
  const file = await sealed(named, notes);
  yield* writeSafetensors(file.tensors, file.metadata);
}

/** Options of a `ResNet` that names none. Readers of files without a note take other values for some, the usual ones. */
const UNNAMED: Partial<ResNetOptions> = {
  stemStride: 2,
  stemRelu: false,
  stemPool: false,
  shortcut: "projection",
  strideAt: 2,
};

/** A ResNet's state under torchvision's names, for torchvision's batch norms. */
function torchvisionState(model: ResNet, state: ReadonlyMap<string, Writable>): Map<string, Writable> {
  const named = new Map<string, Writable>();
  const norms = batchNormsOf(model);
  for (const [name, tensor] of state) {
    const epsilon = norms.get(name)?.eps ?? TORCH_EPSILON;
    const value = epsilon === TORCH_EPSILON ? tensor : shifted(tensor, epsilon - TORCH_EPSILON);
    named.set(torchvisionName(name, model.options), value);
  }
  return named;
}

/** torchvision adds 1e-5 to every variance; what a layer adds beyond that goes into the variance itself. */
const shifted = ({ data, ...variance }: Writable, by: number): Writable => ({
  ...variance,
  async data() {
    const values = typeof data === "function" ? await data() : data;
    return (values as Float32Array).map((value) => value + by);
  },
});
