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
import type { BesideNet, Loading, NetChoice, NetInfo } from "../engine/protocol.ts";
import { beside } from "./beside.ts";
import { theDevice } from "./device.ts";
import { type Fetched, fetchKept } from "./kept.ts";
import { type Part, partsOf } from "./parts.ts";

/** A net on the device, and what has to be known to use it. */
export interface Net {
  readonly title: string;
  readonly model: ResNet;
  readonly device: Device;
  readonly preprocessing: Preprocessing | undefined;
  readonly labels: readonly string[];
  readonly parts: readonly Part[];
}

let current: Net | undefined;

/** @throws Error before a net has been loaded, or after the device that it was on is lost. */
export function currentNet(): Net {
  if (!current || current.device.isLost) throw new Error("There is no net on the device; load one first.");
  return current;
}

/** Load a net's weights into the device, in place of those that were there. */
export async function loadNet(choice: NetChoice, tell: (told: Loading) => void): Promise<NetInfo> {
  const start = performance.now();
  const device = await theDevice();
  const found = "beside" in choice ? await fromBeside(choice.beside, tell) : fromFiles(choice.files);
  const net = await build(found, device, tell);
  if (current && !current.device.isLost) {
    for (const { run } of current.parts) run.dispose();
    dispose(current.model);
  }
  current = net;
  const { options } = net.model;
  return {
    title: net.title,
    from: found.from,
    notKept: found.notKept,
    parameters: countParameters(net.model),
    classes: options.classes,
    side: isForLarge(net.model) ? 224 : 32,
    stages: options.nBlocks.length,
    milliseconds: performance.now() - start,
  };
}

interface Found {
  readonly title: string;
  readonly input: CheckpointInput;
  readonly bytes: number;
  readonly labels: readonly string[] | undefined;
  readonly from: NetInfo["from"];
  readonly notKept?: string | undefined;
}

async function fromBeside(id: string, tell: (told: Loading) => void): Promise<Found> {
  const net = (await beside()).nets.find((net) => net.id === id);
  if (!net) throw new Error(`${id} does not lie beside this page. Drop a file of weights instead.`);
  const { files, labels } = await fetchNet(net, tell);
  const fetched = files.filter(({ from }) => from === "network");
  return {
    title: net.title,
    input: files.map(({ file }) => file),
    bytes: sizeOf(net),
    labels: labels && namesIn(await labels.file.text()),
    from: fetched.length > 0 ? "network" : "kept",
    notKept: files.find(({ notKept }) => notKept)?.notKept,
  };
}

/** Parallel requests: enough for a slow line to be full. */
const AT_ONCE = 4;

async function fetchNet(net: BesideNet, tell: (told: Loading) => void) {
  const of = sizeOf(net);
  let bytes = 0;
  const onBytes = (more: number) => {
    bytes += more;
    tell({ phase: "fetch", bytes, of });
  };
  const wanted = [...net.files, ...(net.labels ? [net.labels] : [])];
  const fetched: Fetched[] = [];
  let next = 0;
  const take = async () => {
    while (next < wanted.length) {
      const i = next++;
      fetched[i] = await fetchKept(wanted[i]!, onBytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  return { files: fetched.slice(0, net.files.length), labels: fetched[net.files.length] };
}

const sizeOf = ({ files, labels }: BesideNet): number =>
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
  tell: (told: Loading) => void,
): Promise<Net> {
  tell({ phase: "upload", bytes: 0, of: bytes });
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
    tell({ phase: "upload", bytes, of: bytes });
    const names = labels ?? labelsOf(checkpoint.metadata) ?? (await usualLabels(model));
    const { preprocessing } = found;
    return { title, model: evaluate(model), device, preprocessing, labels: names, parts: partsOf(model) };
  } catch (error) {
    if (model && !device.isLost) dispose(model);
    throw error;
  } finally {
    await checkpoint.close();
  }
}

/** What a training noted about its data. */
function labelsOf(metadata: ReadonlyMap<string, string>): string[] | undefined {
  try {
    const { classes } = JSON.parse(metadata.get("training") ?? "{}");
    const labels: unknown = JSON.parse(classes);
    return Array.isArray(labels) ? labels.map(String) : undefined;
  } catch {
    return undefined;
  }
}

/** Of CIFAR-10, or of ImageNet, if its names lie beside the page. */
async function usualLabels(model: ResNet): Promise<readonly string[]> {
  const { classes } = model.options;
  if (classes === 10 && !isForLarge(model)) return CIFAR10_CLASSES;
  const imageNet = classes === 1000 && (await beside()).nets.find(({ labels }) => labels)?.labels;
  return imageNet ? namesIn(await (await fetchKept(imageNet, () => {})).file.text()) : [];
}
