import type { Device } from "./device.ts";

/** Pixels of a row in a buffer that a texture is copied to: rows begin at multiples of 256 bytes. */
const ROW = 64;

interface Held {
  readonly texture: GPUTexture;
  readonly bytes: number;
}

/** The texture of the latest copy on each device, so that the frames of a camera need one texture. */
const latest = new WeakMap<Device, Held>();

/** Words from one row of {@link copyPixels} to the next. */
export const rowWords = (width: number): number => Math.ceil(width / ROW) * ROW;

/**
 * Copy what a browser can draw to a buffer, on the GPU: words of red, green, blue and alpha, red lowest, colours multiplied by
 * alpha. `[height, rowWords(width)]`
 */
export function copyPixels(
  device: Device,
  source: GPUCopyExternalImageSource,
  [width, height]: readonly [width: number, height: number],
  to: { readonly buffer: GPUBuffer; readonly offset: number },
): void {
  const { texture } = textureOf(device, width, height);
  const { queue } = device.gpu;
  // A launch that has gathered may still read what was in the buffer.
  device.launcher.flush();
  queue.copyExternalImageToTexture({ source }, { texture, premultipliedAlpha: true }, [width, height]);
  const encoder = device.gpu.createCommandEncoder();
  const { buffer, offset } = to;
  encoder.copyTextureToBuffer({ texture }, { buffer, offset, bytesPerRow: 4 * rowWords(width) }, [
    width,
    height,
  ]);
  queue.submit([encoder.finish()]);
}

function textureOf(device: Device, width: number, height: number): Held {
  const before = latest.get(device);
  if (before?.texture.width === width && before.texture.height === height) return before;
  before?.texture.destroy();
  const texture = device.gpu.createTexture({
    label: "pixels",
    size: [width, height],
    format: "rgba8unorm",
    usage: COPY_SRC | COPY_DST | RENDER_ATTACHMENT,
  });
  const held = { texture, bytes: 4 * width * height };
  device.launcher.counts.scratchBytes += held.bytes - (before?.bytes ?? 0);
  latest.set(device, held);
  return held;
}

const COPY_SRC = 0x01;
const COPY_DST = 0x02;
const RENDER_ATTACHMENT = 0x10;
