import { randomValues } from "../random.mjs";

const STORAGE = 0x80 | 0x08 | 0x04;
const STAGING = 0x01 | 0x08;

/** Elements that are compared: three stretches of a result, its beginning and its end among them. */
const STRETCH = 1 << 14;

/** Buffers by name that grow as they are asked for, filled with random numbers of f32 or of f16. */
export class Memory {
  #device;
  /** @type {Map<string, GPUBuffer>} */
  #buffers = new Map();

  /** @param {import("@shadegrad/tensor").Device} device */
  constructor(device) {
    this.#device = device;
  }

  /**
   * @param {Record<string, number>} lengths in elements
   * @param {boolean} isHalf
   * @param {{ reads: readonly string[] }} kernel
   * @returns {Record<string, GPUBuffer>}
   */
  of(lengths, isHalf, { reads }) {
    return Object.fromEntries(
      Object.entries(lengths).map(([name, length], i) => [
        name,
        this.#find(
          `${name} ${isHalf}`,
          length,
          isHalf && name !== "partial",
          reads.includes(name) ? i + 1 : 0,
        ),
      ]),
    );
  }

  #find(key, length, isHalf, seed) {
    const bytes = Math.max(16, Math.ceil(((isHalf ? 2 : 4) * length) / 16) * 16);
    const before = this.#buffers.get(key);
    if (before && before.size >= bytes) return before;
    before?.destroy();
    const { gpu } = this.#device;
    const buffer = gpu.createBuffer({ size: bytes, usage: STORAGE });
    this.#buffers.set(key, buffer);
    if (seed > 0) {
      const floats = randomValues(Math.min(length, 1 << 20), seed);
      const part = isHalf ? Uint16Array.from(floats, halfOf) : floats;
      for (let at = 0; at < length; at += part.length) {
        const count = Math.min(part.length, length - at);
        gpu.queue.writeBuffer(buffer, at * part.BYTES_PER_ELEMENT, part, 0, count + (isHalf ? count % 2 : 0));
      }
    }
    return buffer;
  }

  /** Three stretches of a buffer. @param {GPUBuffer} buffer @param {number} length @param {boolean} isHalf */
  async read(buffer, length, isHalf) {
    const { gpu } = this.#device;
    const size = isHalf ? 2 : 4;
    const count = Math.min(length, STRETCH) & ~1;
    const firsts = [0, ((length - count) >> 2) << 1, (length - count) & ~1];
    const staging = gpu.createBuffer({ size: 3 * size * count, usage: STAGING });
    const encoder = gpu.createCommandEncoder();
    for (const [i, first] of firsts.entries()) {
      encoder.copyBufferToBuffer(buffer, size * first, staging, i * size * count, size * count);
    }
    gpu.queue.submit([encoder.finish()]);
    await this.#device.rest(staging.mapAsync(1));
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    return isHalf ? Float32Array.from(new Uint16Array(bytes), floatOf) : new Float32Array(bytes);
  }

  destroy() {
    for (const buffer of this.#buffers.values()) buffer.destroy();
  }
}

/** float16 bits of a number in [-1, 1), cut off. @param {number} value */
function halfOf(value) {
  const word = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  const exponent = ((word >>> 23) & 0xff) - 112;
  const sign = (word >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((word >>> 13) & 0x3ff);
}

/** @param {number} half */
function floatOf(half) {
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024);
  return half & 0x8000 ? -size : size;
}
