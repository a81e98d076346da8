import type { WorkerClient } from "../worker-client/worker-client.ts";
import { change, state } from "./state.ts";

/** Open the device, and show its state. */
export async function openDevice(client: WorkerClient, after?: string): Promise<boolean> {
  try {
    const info = await client.call("open", null);
    change({ device: { is: "open", info, ...(after !== undefined && { after }) } });
    return true;
  } catch (error) {
    const message = (error as Error).message.replace(/^init: /, "");
    change({ device: { is: "missing", message } });
    // Few visitors need it; where it does not load, the message stands alone.
    const loaded = await import("../classify/recorded.ts").catch(() => undefined);
    if (loaded && state.device.is === "missing")
      change({ device: { ...state.device, recorded: loaded.recorded } });
    return false;
  }
}
