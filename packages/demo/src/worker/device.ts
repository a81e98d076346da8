import { type Device, init } from "@shadegrad/tensor";
import type { AdapterInfo, Notice, Notices } from "../engine/protocol.ts";

type Notify = <K extends Notice>(notice: K, body: Notices[K]) => void;

const told = new WeakSet<Device>();

/** Open the device, or a new one if that was lost. */
export async function open(notify: Notify): Promise<AdapterInfo> {
  const device = await init({ quiet: true });
  if (!told.has(device)) {
    told.add(device);
    device.lost.then(({ message }) => notify("lost", { message }));
  }
  const { gpu, adapter, name } = device;
  return {
    name,
    software: adapter.software,
    features: [...adapter.features],
    limits: {
      buffer: gpu.limits.maxBufferSize,
      workgroupMemory: adapter.workgroupMemory,
      workgroup: adapter.workgroupThreads,
    },
  };
}
