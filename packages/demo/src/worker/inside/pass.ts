import { type Located, listening, type ResNet } from "@shadegrad/resnet";
import { type Device, keep, noGrad, scope, type Tensor } from "@shadegrad/tensor";
import type { Inside, InsideKernel, InsideLayer } from "../../worker-client/messages/inside.ts";
import { KernelLog } from "./kernel-log.ts";
import { describeLayer, partsOf } from "./net-parts.ts";

/** A net and its input. */
export interface Pass {
  readonly model: ResNet;
  readonly x: Tensor;
}

/** Parts of the net with their layers and times, and the launched kernels. */
export type Observed = Pick<Inside, "parts" | "kernels" | "isTimed">;

/** Run the net once, uncompiled; the layers' image-shaped outputs are added to `outputs`. */
export async function pass({ model, x }: Pass, outputs?: Map<string, Tensor>): Promise<Observed> {
  const { device } = x;
  const parts = partsOf(model).map((part) => ({
    ...part,
    layers: [] as InsideLayer[],
    shape: [] as readonly number[],
  }));
  const log = new KernelLog(device);
  const clock = log.isTimed ? undefined : new PartClock(device);
  const before = ({ name }: Located) => {
    const next = parts.findIndex((part) => part.name === name);
    if (next <= log.part) return;
    clock?.mark();
    log.part = next;
  };
  const after = (located: Located, y: Tensor) => {
    const { name, isLeaf } = located;
    const part = parts[log.part]!;
    if (isLeaf) part.layers.push(describeLayer(located, y));
    if (!isLeaf && part.name !== name) return;
    part.shape = y.shape;
    if (y.shape.length === 4) outputs?.set(name, keep(y));
  };
  const kernels = await log.record(() => {
    noGrad(() =>
      scope(() => {
        listening(model, { before, after }, () => void model.forward(x));
      }),
    );
    clock?.mark();
  });
  const milliseconds = clock ? await clock.durations() : sumByPart(kernels);
  return {
    isTimed: log.isTimed,
    kernels,
    parts: parts.map((part, i) => ({ ...part, milliseconds: milliseconds[i] ?? 0 })),
  };
}

/** Clock for the parts of a net on a device without timestamps. */
class PartClock {
  readonly #device: Device;
  readonly #marks: Promise<number>[] = [Promise.resolve(performance.now())];

  constructor(device: Device) {
    this.#device = device;
  }

  /** Mark the end of a part: the moment when the device has finished all that was launched. */
  mark(): void {
    const end = this.#device.synchronize().then(() => performance.now());
    end.catch(() => {}); // `durations` awaits it
    this.#marks.push(end);
  }

  /** Milliseconds between marks. */
  async durations(): Promise<number[]> {
    const marks = await Promise.all(this.#marks);
    return marks.slice(1).map((mark, i) => mark - marks[i]!);
  }
}

/** Milliseconds of each part's kernels. */
function sumByPart(kernels: readonly InsideKernel[]): number[] {
  const sums: number[] = [];
  for (const { part, microseconds = 0 } of kernels) sums[part] = (sums[part] ?? 0) + microseconds / 1000;
  return sums;
}
