import { randomValues } from "../random.mjs";

const USAGE = 0x80 | 0x08 | 0x04; // storage, copied to and from

/**
 * Buffers of random floats.
 *
 * @param {import("@shadegrad/tensor").Device} device
 * @param {readonly number[]} lengths
 * @returns {GPUBuffer[]}
 */
export function buffers({ gpu }, lengths) {
  return lengths.map((length, i) => {
    const buffer = gpu.createBuffer({ size: Math.max(16, 4 * length), usage: USAGE });
    const part = randomValues(Math.min(length, 1 << 20), i + 1);
    for (let at = 0; at < length; at += part.length) {
      gpu.queue.writeBuffer(buffer, 4 * at, part, 0, Math.min(part.length, length - at));
    }
    return buffer;
  });
}
