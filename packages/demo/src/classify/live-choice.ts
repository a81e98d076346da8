import type { State } from "../app/state.ts";

/** True if the camera's frames are classified as they come: a software adapter does so when it is asked to. */
export const isLive = ({ classify, device }: State): boolean =>
  classify.isLive ?? (device.is === "open" && !device.info.software);
