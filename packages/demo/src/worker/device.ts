import { type Device, init } from "@shadegrad/tensor";
import type { AdapterInfo, Notice, Notices } from "../worker-client/protocol.ts";

type Notify = <K extends Notice>(notice: K, body: Notices[K]) => void;

let opening: Promise<Device> | undefined;

/** The device that the worker computes on. A new one is opened if the last was lost or did not open. */
export async function theDevice(): Promise<Device> {
  const device = await opening?.catch(() => undefined);
  if (device && !device.isLost) return device;
  opening = init({ quiet: true }); // the page itself says which adapter it is
  return opening;
}

const watched = new WeakSet<Device>();

/** Open the device, and notify the page when it is lost. */
export async function open(notify: Notify): Promise<AdapterInfo> {
  const device = await theDevice();
  if (!watched.has(device)) {
    watched.add(device);
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
