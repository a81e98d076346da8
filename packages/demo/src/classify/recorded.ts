import type { Classification } from "../engine/protocol.ts";
import cat from "./recorded.json";

/** What came out for the photograph of the cat where there was an adapter; scripts/demo/record.mjs wrote it. */
export const recorded: Classification = {
  ...cat,
  crop: { side: 224, pixels: new Uint8ClampedArray() },
};
