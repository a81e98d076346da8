import type { Copied, CopiedRead, CopyMemory } from "../launch/copies.ts";
import type { Epilogue } from "../launch/epilogue.ts";
import type { Holes } from "../launch/kernel.ts";
import type { Placed } from "../launch/placed.ts";

// A rasteriser fetches four neighbours from a texture at once, and from a buffer one by one, with two branches for each.

/**
 * Elements 4·i … 4·i + 3 of a buffer are texel i mod TEXELS_PER_ROW of row i / TEXELS_PER_ROW + 1 of its texture. Row 0
 * holds zeros, for what lies beyond the edge of an image.
 */
export const TEXELS_PER_ROW = 4096;

/** Rows that WebGPU promises. */
const MOST_ROWS = 8192;

/** True if a texture can hold so many elements. */
export const fitsTexture = (elements: number): boolean => elements <= 4 * TEXELS_PER_ROW * (MOST_ROWS - 1);

/** The holes by which a shader says what a texture holds, and what the buffer holds that it is copied from. */
const holesOf = (name: string): readonly [texels: string, element: string] =>
  name === "e0" ? ["Texels0", "E0"] : name === "e1" ? ["Texels1", "E1"] : ["Texels", "Elem"];

/** Reads that a shader has as textures of `Texels`, from how many elements of each it needs. */
export function texels(elements: Readonly<Record<string, number>>, holes: Holes): Record<string, CopiedRead> {
  const reads = Object.entries(elements).map(([name, count]): [string, CopiedRead] => {
    const [hole, element] = holesOf(name);
    const isHalf = holes[element] === "f16";
    const format = isHalf ? "rgba16float" : "rgba32float";
    return [
      name,
      {
        elements: count,
        holes: isHalf ? { [hole]: `texture_storage_2d<${format}, read>` } : {},
        layout: { storageTexture: { access: "read-only", format } },
        key: format,
      },
    ];
  });
  return Object.fromEntries(reads);
}

/** Elements of e0 and e1 that an epilogue reads. */
export function epilogueTextures(
  epilogue: Epilogue | undefined,
  elements: number,
  channels: number,
): { e0: number; e1: number } {
  const [e0 = 0, e1 = 0] = (epilogue?.operands ?? []).map(({ kind }) =>
    kind === "dense" ? elements : channels,
  );
  return { e0, e1 };
}

/** The copies that are to be made of a buffer to have it in a texture. */
function copiesTo(
  texture: GPUTexture,
  { buffer, offset = 0 }: Placed,
  elements: number,
): Parameters<GPUCommandEncoder["copyBufferToTexture"]>[] {
  const texels = Math.ceil(elements / 4);
  const bytesPerRow = TEXELS_PER_ROW * texelBytes(texture.format);
  const copy = (first: number, size: [number, number]) =>
    [
      { buffer, offset: offset + first * bytesPerRow, bytesPerRow },
      { texture, origin: [0, first + 1] },
      size,
    ] as Parameters<GPUCommandEncoder["copyBufferToTexture"]>;
  // Whole rows, then what is left.
  const rows = Math.floor(texels / TEXELS_PER_ROW);
  const rest = texels % TEXELS_PER_ROW;
  return [
    ...(rows > 0 ? [copy(0, [TEXELS_PER_ROW, rows])] : []),
    ...(rest > 0 ? [copy(rows, [rest, 1])] : []),
  ];
}

/** The textures that launches read in place of buffers: one for each binding and type, as launches run in turn. */
export class Textures implements CopyMemory {
  readonly #device: GPUDevice;
  readonly #counts: { scratchBytes: number };
  readonly #reserved = new Map<string, number>();
  readonly #largest = new Map<string, GPUTexture>();
  #outgrown: GPUTexture[] = [];

  /** @param counts kept up to date */
  constructor(device: GPUDevice, counts: { scratchBytes: number }) {
    this.#device = device;
    this.#counts = counts;
  }

  /** Bytes of the textures in use. */
  get bytes(): number {
    return [...this.#largest.values()].reduce((sum, texture) => sum + bytesOf(texture), 0);
  }

  reserve(binding: number, { key, elements }: CopiedRead): void {
    const place = `${binding},${key}`;
    this.#reserved.set(place, Math.max(this.#reserved.get(place) ?? 0, rowsOf(elements)));
  }

  find(binding: number, read: CopiedRead, from: Placed): Copied {
    const texture = this.#texture(binding, read);
    const copies = copiesTo(texture, from, read.elements);
    return {
      memory: texture,
      resource: () => texture.createView(),
      copy(encoder) {
        for (const copy of copies) encoder.copyBufferToTexture(...copy);
      },
    };
  }

  /** The texture for `elements` of a binding; one that is too small gives way to another. */
  #texture(binding: number, { key, elements }: CopiedRead): GPUTexture {
    const place = `${binding},${key}`;
    const before = this.#largest.get(place);
    const rows = Math.max(rowsOf(elements), this.#reserved.get(place) ?? 0);
    if (before && before.height >= rows) return before;
    if (before) this.#outgrown.push(before);
    const texture = this.#device.createTexture({
      label: `binding ${binding}`,
      // Memory that has grown once will grow again.
      size: [TEXELS_PER_ROW, before ? 2 ** Math.ceil(Math.log2(rows)) : rows],
      format: key as GPUTextureFormat,
      usage: GPU_COPY_DST | GPU_STORAGE_BINDING,
    });
    this.#counts.scratchBytes += bytesOf(texture);
    this.#largest.set(place, texture);
    return texture;
  }

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
    this.#counts.scratchBytes -= bytesOf(texture);
  }
}

const rowsOf = (elements: number): number => Math.ceil(elements / 4 / TEXELS_PER_ROW) + 1;

const bytesOf = ({ width, height, format }: GPUTexture): number => width * height * texelBytes(format);

const texelBytes = (format: GPUTextureFormat): number => (format === "rgba16float" ? 8 : 16);

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x02;
const GPU_STORAGE_BINDING = 0x08;
