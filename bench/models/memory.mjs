/**
 * Bytes in the buffers and textures that a device makes from here on, by the descriptors' account and not the engine's:
 * those that live, the most that there were, and the textures' part, all that were made. What is dropped without `destroy` counts as living.
 *
 * @param {GPUDevice} gpu
 */
export function watchMemory(gpu) {
  const memory = { bytes: 0, peak: 0, textures: 0 };
  /** @param {{ destroy(): void }} made @param {number} bytes */
  const count = (made, bytes) => {
    memory.bytes += bytes;
    memory.peak = Math.max(memory.peak, memory.bytes);
    const { destroy } = made;
    made.destroy = () => {
      memory.bytes -= bytes;
      made.destroy = destroy;
      destroy.call(made);
    };
  };
  const { createBuffer, createTexture } = gpu;
  gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(gpu, descriptor);
    count(buffer, buffer.size);
    return buffer;
  };
  gpu.createTexture = (descriptor) => {
    const texture = createTexture.call(gpu, descriptor);
    const bytes = texture.width * texture.height * texture.depthOrArrayLayers * bytesOf(texture.format);
    count(texture, bytes);
    memory.textures += bytes;
    return texture;
  };
  return memory;
}

/** Bytes of a texel. @param {GPUTextureFormat} format */
function bytesOf(format) {
  const [, channels = "", bits = 0] = /^([rgba]+)(\d+)/.exec(format) ?? [];
  if (!bits) throw new Error(`bench: texels of ${format} are of no known size`);
  return (channels.length * Number(bits)) / 8;
}
