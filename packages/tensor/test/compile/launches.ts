import type { Kernel } from "@shadegrad/kernels-wgsl";
import type { Recorded } from "../../src/core/recorder.ts";
import { Storage } from "../../src/core/storage.ts";
import type { Device } from "../../src/gpu/device.ts";

const device = { checkFits() {} } as unknown as Device;
/** A tensor whose memory `compile` plans. */
export const planned = (elements: number) => new Storage(device, 4 * elements, "a tensor", "planned");
/** A tensor that has memory. */
export const present = (elements: number) =>
  new Storage({ allocate: () => ({}) } as unknown as Device, 4 * elements, "a tensor", "pooled");

/** A launch of float32 tensors, the written ones of which it makes. */
export const launchOf = (
  kernel: unknown,
  params: object,
  reads: readonly Storage[],
  writes: readonly Storage[],
  changes: Partial<Recorded> = {},
): Recorded => ({
  kernel: kernel as Kernel,
  params: params as Recorded["params"],
  paramsAtCall: undefined,
  holes: {},
  epilogue: undefined,
  variant: undefined,
  reads: reads.map((storage) => ({ storage, size: storage.bytes / 4, dtype: "f32" })),
  writes: writes.map((storage) => ({ storage, size: storage.bytes / 4, dtype: "f32", allocated: true })),
  ...changes,
});
