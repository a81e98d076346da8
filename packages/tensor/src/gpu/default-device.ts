import { DeviceError } from "../errors.ts";
import { type InitOptions, openAdapter } from "./adapter.ts";
import { debugLevel } from "./debug.ts";
import { Device } from "./device.ts";
import { keptVariants } from "./tuned.ts";

let current: Promise<Device> | undefined;
let opened: Device | undefined;

/** Open the default device, or give the one that is open; with options always a new one. */
export async function openDefault(options?: InitOptions): Promise<Device> {
  if (current && options === undefined && !opened?.isLost) return current;
  const opening = openDevice(options);
  current = opening;
  try {
    opened = await opening;
    current = opening;
    return opened;
  } catch (error) {
    if (current === opening) current = opened && Promise.resolve(opened);
    throw error;
  }
}

let warned = false;

/** Open a device beside the default one. */
export async function openDevice(options: InitOptions = {}): Promise<Device> {
  const opened = await openAdapter(options);
  const { tuned = true } = options;
  const device = new Device(opened, tuned === true ? keptVariants(opened.adapter.key) : tuned || undefined);
  if (device.adapter.software && !options.quiet && !warned) {
    warned = true;
    console.warn(
      `shadegrad: no GPU found, computing on the CPU with ${device.name}; expect a hundredth of a GPU's speed.`,
    );
  }
  if (debugLevel >= 1) console.log(`shadegrad: ${device.name}, ${[...device.adapter.features].join(" ")}`);
  return device;
}

/** @throws DeviceError before `init()`. */
export function defaultDevice(): Device {
  if (!opened) throw new DeviceError("there is no device yet: `await init()` first.");
  return opened;
}
