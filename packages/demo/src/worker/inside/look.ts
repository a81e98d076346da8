import {
  decodeImage,
  type Located,
  listening,
  pictureInput,
  type ResNet,
  ShortcutPadding,
  summaryRow,
} from "@shadegrad/resnet";
import { type Device, keep, measurePeak, noGrad, scope, type Tensor, tensor } from "@shadegrad/tensor";
import { BatchNorm2d, Conv2d, Identity, Linear, MaxPool2d } from "@shadegrad/tensor/nn";
import type { Inside, InsideKernel, InsideLayer, InsidePart } from "../../worker-client/protocol.ts";
import { currentNet } from "../nets.ts";

/** Outputs of each layer for the last picture. */
let seen: { readonly model: ResNet; readonly outputs: Map<string, Tensor> } | undefined;

const peaks = new WeakMap<Device, Promise<Inside["peak"]>>();

/** Run the net on a picture, uncompiled, and record what each part launched. */
export async function look({ image }: { image: Blob }): Promise<Inside> {
  const { model, device, preprocessing, title } = currentNet();
  let peak = peaks.get(device);
  if (!peak) peaks.set(device, (peak = measurePeak(device)));
  await peak;
  const { data, shape } = pictureInput(await decodeImage(image), model, preprocessing);
  forget();
  const outputs = new Map<string, Tensor>();
  seen = { model, outputs };
  // The first pass compiles the kernels, the second is timed.
  await pass(model, device, data, shape, undefined);
  const start = performance.now();
  const noted = await pass(model, device, data, shape, outputs);
  return {
    net: title,
    adapter: device.name,
    milliseconds: performance.now() - start,
    peak: await peak,
    ...noted,
  };
}

/** Output of a layer for the last picture. */
export function outputOf(name: string): Tensor {
  const found = seen?.outputs.get(name);
  if (!found) throw new Error("The net has not run yet. Press Look first.");
  return found;
}

export function lookedAt(): ResNet {
  if (!seen) throw new Error("The net has not run yet. Press Look first.");
  return seen.model;
}

function forget(): void {
  for (const y of seen?.outputs.values() ?? []) if (!y.device.isLost && !y.isDisposed) y.dispose();
  seen = undefined;
}

type Noted = Pick<Inside, "parts" | "kernels" | "isTimed">;

async function pass(
  model: ResNet,
  device: Device,
  data: Float32Array,
  shape: readonly number[],
  outputs: Map<string, Tensor> | undefined,
): Promise<Noted> {
  const { launcher } = device;
  const parts = partsOf(model);
  const layers: InsideLayer[][] = parts.map(() => []);
  const shapes: (readonly number[])[] = parts.map(() => []);
  const kernels: { kernel: string; variant: string; part: number; flops: number; bytes: number }[] = [];
  const times: number[] = [];
  const ends: Promise<number>[] = [];
  const isTimed = device.adapter.features.has("timestamp-query");
  const before = { onLaunch: launcher.onLaunch, onTimings: launcher.onTimings };
  let part = 0;
  const leave = () => {
    if (isTimed) return;
    const end = device.synchronize().then(() => performance.now());
    end.catch(() => {}); // `Promise.all` below awaits them
    ends.push(end);
  };

  launcher.onLaunch = ({ kernel, variant, cost }) => {
    kernels.push({ kernel, variant, part, flops: cost?.flops ?? 0, bytes: cost?.bytes ?? 0 });
  };
  let told = () => {};
  const allTold = new Promise<void>((resolve) => {
    told = resolve;
  });
  if (isTimed) {
    launcher.onTimings = (timings) => {
      times.push(...timings.map(({ microseconds }) => microseconds));
      if (times.length >= kernels.length) told();
    };
    launcher.startTiming();
  }
  const start = performance.now();
  try {
    const enter = ({ name }: Located) => {
      const next = parts.findIndex((one) => one.name === name);
      if (next <= part) return;
      leave();
      part = next;
    };
    const after = ({ name, layer, isLeaf }: Located, y: Tensor) => {
      if (isLeaf) {
        const { shape, parameters, multiplyAdds, bytes } = summaryRow(name, layer, y);
        const type = KINDS.find(([kind]) => layer instanceof kind)?.[1] ?? "layer";
        const { weight } = layer as Partial<Conv2d>;
        const window = weight?.shape.length === 4 ? weight.shape.slice(0, 2) : undefined;
        layers[part]!.push({ name, type, shape, parameters, multiplyAdds, bytes, window });
      }
      if (isLeaf || parts[part]!.name === name) {
        shapes[part] = y.shape;
        if (outputs && y.shape.length === 4) outputs.set(name, keep(y));
      }
    };
    noGrad(() =>
      scope(() => {
        const x = tensor(data, shape, { device });
        listening(model, { before: enter, after }, () => void model.forward(x));
      }),
    );
    leave();
    await device.synchronize();
    if (isTimed) await allTold;
  } finally {
    if (isTimed) launcher.stopTiming();
    Object.assign(launcher, before);
  }
  const marks = [start, ...(await Promise.all(ends))];
  const timed: InsideKernel[] = kernels.map((kernel, i) => ({ ...kernel, microseconds: times[i] }));
  const millisecondsOf = (part: number) =>
    isTimed
      ? timed.reduce((sum, kernel) => sum + (kernel.part === part ? (kernel.microseconds ?? 0) / 1000 : 0), 0)
      : (marks[part + 1] ?? 0) - (marks[part] ?? 0);
  return {
    isTimed,
    kernels: timed,
    parts: parts.map((one, i) => ({
      ...one,
      layers: layers[i]!,
      shape: shapes[i]!,
      milliseconds: millisecondsOf(i),
    })),
  };
}

/** Names of layer classes, since bundlers shorten the classes' own. */
const KINDS = [
  [Conv2d, "convolution"],
  [BatchNorm2d, "batch norm"],
  [Linear, "linear"],
  [MaxPool2d, "max pool"],
  [ShortcutPadding, "zeros for channels"],
] as const;

/** The stem, each block and the head, named by their first layer. */
function partsOf({ base, options }: ResNet): Pick<InsidePart, "name" | "title" | "stage" | "shortcut">[] {
  let stage = 0;
  let inStage = 0;
  const blocks = base.blocks.map((block, i) => {
    while (inStage >= options.nBlocks[stage]!) {
      stage++;
      inStage = 0;
    }
    inStage++;
    const { shortcut } = block;
    const kind = shortcut === undefined ? "none" : shortcut instanceof Identity ? "identity" : "changing";
    return {
      name: `base.blocks.${i}`,
      title: `Block ${stage + 1}.${inStage}`,
      stage,
      shortcut: kind,
    } as const;
  });
  return [
    { name: "base.conv", title: "Stem", stage: undefined, shortcut: "none" },
    ...blocks,
    { name: "fc", title: "Head", stage: undefined, shortcut: "none" },
  ];
}
