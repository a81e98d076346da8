import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { type NaNOrigin, NaNSearch } from "./nan.ts";
import { observe } from "./observe.ts";

/**
 * Call `f`, which may be async, check the result of every kernel that it launches, and find the op that made the first NaN.
 *
 * Each launch is followed by others that check its results, so that `f` runs two to three times slower.
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
