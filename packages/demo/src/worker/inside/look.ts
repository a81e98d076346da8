import type { ResNet } from "@shadegrad/resnet";
import { type Device, measurePeak, type Tensor } from "@shadegrad/tensor";
import type { Inside } from "../../worker-client/messages/inside.ts";
import { currentNet } from "../nets.ts";
import { preparedPicture } from "../picture.ts";
import { pass } from "./pass.ts";

/** Outputs of each layer for the last picture. */
let seen: { readonly model: ResNet; readonly outputs: Map<string, Tensor> } | undefined;

const peaks = new WeakMap<Device, Promise<Inside["peak"]>>();

/** Run the net on a picture, uncompiled, and record what each part launched. */
export async function look({ image }: { image: Blob }): Promise<Inside> {
  const net = currentNet();
  const { model, device, title } = net;
  let peak = peaks.get(device);
  if (!peak) peaks.set(device, (peak = measurePeak(device)));
  await peak;
  forget();
  const picture = await preparedPicture(image, net);
  const outputs = new Map<string, Tensor>();
  seen = { model, outputs };
  // The first pass compiles the kernels, the second is timed.
  const input = { model, x: picture.x };
  try {
    await pass(input);
    const start = performance.now();
    const observed = await pass(input, outputs);
    return {
      net: title,
      adapter: device.name,
      milliseconds: performance.now() - start,
      peak: await peak,
      ...observed,
    };
  } finally {
    picture.dispose();
  }
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
