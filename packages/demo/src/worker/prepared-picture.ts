import type { Tensor } from "@shadegrad/tensor";
import type { Classification } from "../worker-client/messages/classify.ts";

/** A picture as a net takes it. */
export interface PreparedPicture {
  /** `[1, side, side, C]`, normalized */
  readonly x: Tensor;
  /** The square that was cut out of the picture. */
  crop(): Promise<Classification["crop"]>;
  dispose(): void;
}

/** RGB with alpha, as a canvas takes it. */
export function opaque(pixels: Uint8Array | Float32Array): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray((pixels.length / 3) * 4).fill(255);
  for (let i = 0, at = 0; i < pixels.length; i += 3, at += 4) out.set(pixels.subarray(i, i + 3), at);
  return out;
}
