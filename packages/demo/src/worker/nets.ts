import {
  type CheckpointInput,
  CIFAR10_CLASSES,
  isForLarge,
  loadCheckpoint,
  modelOf,
  namesFoundAndSought,
  openCheckpoint,
  type Preprocessing,
  ResNet,
} from "@shadegrad/resnet";
import { type Device, FormatError } from "@shadegrad/tensor";
import { countParameters, dispose, evaluate } from "@shadegrad/tensor/nn";
import type { BundledNet, Loading, NetChoice, NetInfo } from "../worker-client/messages/nets.ts";
import { bundledAssets } from "./bundled-assets.ts";
import { type Fetched, fetchCached } from "./cached-files.ts";
import { theDevice } from "./device.ts";
import { type Stage, stagesOf } from "./stages.ts";

/** A net on the device, with its preprocessing and class names. */
export interface LoadedNet {
  readonly title: string;
  readonly model: ResNet;
  readonly device: Device;
  readonly preprocessing: Preprocessing | undefined;
  readonly labels: readonly string[];
  readonly stages: readonly Stage[];
}

let current: LoadedNet | undefined;

/** @throws Error before a net has been loaded, or after the device that it was on is lost. */
export function currentNet(): LoadedNet {
  if (!current || current.device.isLost) throw new Error("There is no net on the device; load one first.");
  return current;
}

/** A net of its own on the device, and the file that its weights come from. */
export async function readNet(
  choice: NetChoice,
  onProgress: (progress: Loading) => void,
): Promise<{ readonly net: LoadedNet; readonly found: Found }> {
  const device = await theDevice();
  const found = "bundled" in choice ? await fromBundled(choice.bundled, onProgress) : fromFiles(choice.files);
  return { net: await build(found, device, onProgress), found };
}

/** Load a net's weights into the device, in place of the former net's. */
export async function loadNet(choice: NetChoice, onProgress: (progress: Loading) => void): Promise<NetInfo> {
  const start = performance.now();
  const { net, found } = await readNet(choice, onProgress);
  if (current && !current.device.isLost) {
    for (const { run } of current.stages) run.dispose();
    dispose(current.model);
  }
  current = net;
  const { options } = net.model;
  return {
    title: net.title,
    from: found.from,
    notCached: found.notCached,
    parameters: countParameters(net.model),
    classes: options.classes,
    side: isForLarge(net.model) ? 224 : 32,
    stages: options.nBlocks.length,
    milliseconds: performance.now() - start,
  };
}

export interface Found {
  readonly title: string;
  readonly input: CheckpointInput;
  readonly bytes: number;
  readonly labels: readonly string[] | undefined;
  readonly from: NetInfo["from"];
  readonly notCached?: string | undefined;
}

async function fromBundled(id: string, onProgress: (progress: Loading) => void): Promise<Found> {
  const net = (await bundledAssets()).nets.find((net) => net.id === id);
  if (!net) throw new Error(`${id} is not among this page's nets. Drop a file of weights instead.`);
  const { files, labels } = await fetchNet(net, onProgress);
  const fetched = files.filter(({ from }) => from === "network");
  return {
    title: net.title,
    input: files.map(({ file }) => file),
    bytes: sizeOf(net),
    labels: labels && namesIn(await labels.file.text()),
    from: fetched.length > 0 ? "network" : "cache",
    notCached: files.find(({ notCached }) => notCached)?.notCached,
  };
}

/** Parallel requests: enough to fill a slow line. */
const AT_ONCE = 4;

async function fetchNet(net: BundledNet, onProgress: (progress: Loading) => void) {
  const of = sizeOf(net);
  let bytes = 0;
  const onBytes = (more: number) => {
    bytes += more;
    onProgress({ phase: "fetch", bytes, of });
  };
  const wanted = [...net.files, ...(net.labels ? [net.labels] : [])];
  const fetched: Fetched[] = [];
  let next = 0;
  const take = async () => {
    while (next < wanted.length) {
      const i = next++;
      fetched[i] = await fetchCached(wanted[i]!, onBytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return { files: fetched.slice(0, net.files.length), labels: fetched[net.files.length] };
}

const sizeOf = ({ files, labels }: BundledNet): number =>
  [...files, ...(labels ? [labels] : [])].reduce((sum, { bytes }) => sum + bytes, 0);

/** A JSON object or list of names. */
const namesIn = (json: string): string[] =>
  Object.values(Object(JSON.parse(json))).map((name) => String(name).replaceAll("_", " "));

const fromFiles = (files: readonly File[]): Found => ({
  title: files.map(({ name }) => name).join(", "),
  input: files,
  bytes: files.reduce((sum, { size }) => sum + size, 0),
  labels: undefined,
  from: "file",
});

async function build(
  { title, input, bytes, labels }: Found,
  device: Device,
  onProgress: (progress: Loading) => void,
): Promise<LoadedNet> {
  onProgress({ phase: "upload", bytes: 0, of: bytes });
  const checkpoint = await openCheckpoint(input);
  let model: ResNet | undefined;
  try {
    const found = modelOf(checkpoint);
    if (!found) {
      throw new FormatError(`${title} holds no ResNet. ${namesFoundAndSought(checkpoint.tensors)}`);
    }
    model = new ResNet(found.options);
    await loadCheckpoint(model, checkpoint);
    await device.synchronize();
    onProgress({ phase: "upload", bytes, of: bytes });
    const names = labels ?? model.labels ?? labelsOf(checkpoint.metadata) ?? (await usualLabels(model));
    const { preprocessing } = found;
    return { title, model: evaluate(model), device, preprocessing, labels: names, stages: stagesOf(model) };
  } catch (error) {
    if (model && !device.isLost) dispose(model);
    throw error;
  } finally {
    await checkpoint.close();
  }
}

/** Class names that a training wrote into its checkpoint. */
function labelsOf(metadata: ReadonlyMap<string, string>): string[] | undefined {
  try {
    const { classes } = JSON.parse(metadata.get("training") ?? "{}");
    const labels: unknown = JSON.parse(classes);
    return Array.isArray(labels) ? labels.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Class names of CIFAR-10, or of ImageNet if the page has them. */
async function usualLabels(model: ResNet): Promise<readonly string[]> {
  const { classes } = model.options;
  if (classes === 10 && !isForLarge(model)) return CIFAR10_CLASSES;
  const imageNet = classes === 1000 && (await bundledAssets()).nets.find(({ labels }) => labels)?.labels;
  return imageNet ? namesIn(await (await fetchCached(imageNet, () => {})).file.text()) : [];
}
