import type { InitOptions } from "../gpu/adapter.ts";
import { debugLevel } from "../gpu/debug.ts";
import { openDevice as open, openDefault } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { NaNWatch } from "./nan.ts";
import { observe, observer } from "./observe.ts";

/**
 * Open the default device, on which tensors are made unless an option names another.
 *
 * Called again without options it gives the same one, or a new one if that was lost; with options a new
 * one, unless that fails.
 *
 * @throws DeviceError if there is no adapter, with what to install; or if it lacks a limit asked for, or shader-f16
 *   where precision is f16.
 */
export async function init(options?: InitOptions): Promise<Device> {
  watchNaN();
  return openDefault(options);
}

/** Open a device beside the default one; give it to `tensor`, `zeros` and the like as `device`. */
export async function openDevice(options?: InitOptions): Promise<Device> {
  watchNaN();
  return open(options);
}

let watching = false;

/** Under `DEBUG`, look for NaN from the first device on. */
function watchNaN(): void {
  if (watching || debugLevel < 1) return;
  watching = true;
  if (!observer()) observe(new NaNWatch());
}
