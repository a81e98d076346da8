import type { Holes } from "../launch/kernel.ts";
import type { Placed } from "../launch/program.ts";

/**
 * Texels in a row of a texture: elements 4·i … 4·i + 3 of a buffer are texel i mod PITCH of row
 * i / PITCH + 1. Row 0 holds zeros, for what lies beyond the edge of an image.
 */
const PITCH = 4096;

/** Rows that WebGPU promises. */
const MOST_ROWS = 8192;

/** Whether a texture can hold so many elements. */
export const fitsTexture = (elements: number): boolean => elements <= 4 * PITCH * (MOST_ROWS - 1);

/** The holes by which a shader says what a texture holds, and what the buffer holds that it is copied from. */
const holesOf = (name: string): readonly [texels: string, element: string] =>
  name === "e0" ? ["Texels0", "E0"] : name === "e1" ? ["Texels1", "E1"] : ["Texels", "Elem"];

/** Whether a read that is a texture is of f16. */
export const isHalf = (name: string, holes: Holes): boolean => holes[holesOf(name)[1]] === "f16";

/** What remains to be filled in once it is known which of the textures are of f16. */
export const texelHoles = (names: readonly string[], holes: Holes): Holes =>
  Object.fromEntries(
    names
      .filter((name) => isHalf(name, holes))
      .map((name) => [holesOf(name)[0], "texture_storage_2d<rgba16float, read>"]),
  );

export const texelFormat = (half: boolean): GPUTextureFormat => (half ? "rgba16float" : "rgba32float");

/** Elements of e0 and e1 that an epilogue reads. */
export function epilogueTextures(
  { epilogue = "" }: Holes,
  elements: number,
  channels: number,
): { e0: number; e1: number } {
  const needed = (which: 0 | 1) =>
    String(epilogue).includes(`dense${which}`)
      ? elements
      : String(epilogue).includes(`channel${which}`)
        ? channels
        : 0;
  return { e0: needed(0), e1: needed(1) };
}

/** Part of a buffer that a launch reads as a texture, and that has to be copied there before. */
export class Staged {
  readonly texture: GPUTexture;
  readonly #copies: Parameters<GPUCommandEncoder["copyBufferToTexture"]>[] = [];

  constructor({ buffer, offset = 0 }: Placed, texture: GPUTexture, texels: number) {
    this.texture = texture;
    const bytesPerRow = PITCH * texelBytes(texture.format);
    const copy = (first: number, size: [number, number]) =>
      this.#copies.push([
        { buffer, offset: offset + first * bytesPerRow, bytesPerRow },
        { texture, origin: [0, first + 1] },
        size,
      ]);
    // Whole rows, then what is left.
    const rows = Math.floor(texels / PITCH);
    if (rows > 0) copy(0, [PITCH, rows]);
    if (texels % PITCH > 0) copy(rows, [texels % PITCH, 1]);
  }

  copy(encoder: GPUCommandEncoder): void {
    for (const copy of this.#copies) encoder.copyBufferToTexture(...copy);
  }
}

/** The textures that launches read in place of buffers: one for each binding and type, as launches run in turn. */
export class Textures {
  readonly #device: GPUDevice;
  readonly #counts: { textureBytes: number };
  readonly #reserved = new Map<string, number>();
  readonly #largest = new Map<string, GPUTexture>();
  #outgrown: GPUTexture[] = [];

  /** @param counts kept up to date */
  constructor(device: GPUDevice, counts: { textureBytes: number }) {
    this.#device = device;
    this.#counts = counts;
  }

  /** Of those that are in use. */
  get bytes(): number {
    return [...this.#largest.values()].reduce((sum, texture) => sum + bytesOf(texture), 0);
  }

  /** Say how much a binding's texture will have to hold, so that it need not grow. */
  reserve(binding: number, half: boolean, elements: number): void {
    const key = keyOf(binding, half);
    this.#reserved.set(key, Math.max(this.#reserved.get(key) ?? 0, rowsOf(elements)));
  }

  /** The texture for `elements` of a binding; one that is too small gives way to another. */
  find(binding: number, half: boolean, elements: number): GPUTexture {
    const key = keyOf(binding, half);
    const before = this.#largest.get(key);
    const rows = Math.max(rowsOf(elements), this.#reserved.get(key) ?? 0);
    if (before && before.height >= rows) return before;
    if (before) this.#outgrown.push(before);
    const texture = this.#device.createTexture({
      label: `binding ${binding}`,
      // What has grown once will do so again.
      size: [PITCH, before ? 2 ** Math.ceil(Math.log2(rows)) : rows],
      format: texelFormat(half),
      usage: GPU_COPY_DST | GPU_STORAGE_BINDING,
    });
    this.#counts.textureBytes += bytesOf(texture);
    this.#largest.set(key, texture);
    return texture;
  }

  /** Give back those that gave way, once the commands that read them are submitted. */
  trim(): void {
    for (const texture of this.#outgrown) this.#destroy(texture);
    this.#outgrown = [];
  }

  destroy(): void {
    this.trim();
    for (const texture of this.#largest.values()) this.#destroy(texture);
    this.#largest.clear();
  }

  #destroy(texture: GPUTexture): void {
    texture.destroy();
    this.#counts.textureBytes -= bytesOf(texture);
  }
}

const keyOf = (binding: number, half: boolean): string => `${binding},${half}`;

const rowsOf = (elements: number): number => Math.ceil(elements / 4 / PITCH) + 1;

const bytesOf = ({ width, height, format }: GPUTexture): number => width * height * texelBytes(format);

const texelBytes = (format: GPUTextureFormat): number => (format === "rgba16float" ? 8 : 16);

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x02;
const GPU_STORAGE_BINDING = 0x08;
