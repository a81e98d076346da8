import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { type NaNOrigin, NaNSearch } from "./nan.ts";
import { observe } from "./observe.ts";

/**
 * Call `f`, which may be async, looking at the results of every kernel that it launches, and tell which op made the first NaN, if any did.
 *
 * Each launch is followed by others that look at its results: two or three times slower, so not for every day.
 */
export async function findNaN(
  f: () => unknown,
  device: Device = defaultDevice(),
): Promise<NaNOrigin | undefined> {
  const search = new NaNSearch(device);
  const before = observe(search);
  try {
    await f();
  } finally {
    observe(before);
  }
  return search.origin();
}
