import type { Classification } from "../worker-client/messages/classify.ts";
import cat from "./recorded.json";

/** Answer for the cat's photograph, shown where there is no adapter; `scripts/demo/screenshots.mjs` records it. */
export const recorded: Classification = {
  ...cat,
  crop: { side: 224, pixels: new Uint8ClampedArray() },
};
