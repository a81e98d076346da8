import type { WorkerClient } from "../worker-client/worker-client.ts";
import { change } from "./state.ts";

/** Open the device, and show its state. */
export async function openDevice(client: WorkerClient, after?: string): Promise<boolean> {
  try {
    const info = await client.call("open", null);
    change({ device: { is: "open", info, ...(after !== undefined && { after }) } });
    return true;
  } catch (error) {
    const { recorded } = await import("../classify/recorded.ts"); // few visitors need it
    const message = (error as Error).message.replace(/^init: /, "");
    change({ device: { is: "missing", message, recorded } });
    return false;
  }
}
