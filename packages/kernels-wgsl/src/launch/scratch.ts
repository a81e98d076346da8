import type { CopyMemory } from "./copies.ts";
import type { Rasteriser } from "./kernel.ts";

/** Scratch memory of a launch that has several stages: its index, and its bytes. */
export interface ScratchOperand {
  readonly slot: number;
  readonly bytes: number;
}

/** In the place of an operand that an epilogue does not have: memory that is never read. */
export const ABSENT = { isAbsent: true } as const;

/** Memory that lasts for a launch only: the launcher has one, and so has each program, as launches run in turn. */
export class Scratch {
  /** Operands that are bound as copies; undefined on adapters where none are. */
  readonly copies: CopyMemory | undefined;
  readonly #device: GPUDevice;
  readonly #counts: { scratchBytes: number };
  readonly #reserved: number[] = [];
  readonly #slots: GPUBuffer[] = [];
  #absent: GPUBuffer | undefined;
  #outgrown: GPUBuffer[] = [];

  /** @param counts kept up to date */
  constructor(device: GPUDevice, counts: { scratchBytes: number }, rasteriser: Rasteriser | undefined) {
    this.#device = device;
    this.#counts = counts;
    this.copies = rasteriser?.copyMemory(device, counts);
  }

  /** Buffer that `ABSENT` is bound to. */
  get absent(): GPUBuffer {
    this.#absent ??= this.#device.createBuffer({ label: "absent", size: ABSENT_BYTES, usage: GPU_STORAGE });
    return this.#absent;
  }

  get bytes(): number {
    return this.#slots.reduce((sum, { size }) => sum + size, this.copies?.bytes ?? 0);
  }

  /** Reserve memory for a slot, so that it need not grow. */
  reserve({ slot, bytes }: ScratchOperand): void {
    this.#reserved[slot] = Math.max(this.#reserved[slot] ?? 0, bytes);
  }

  /** The buffer of a slot; one that is too small gives way to another. */
  find({ slot, bytes }: ScratchOperand): GPUBuffer {
    const before = this.#slots[slot];
    const needed = Math.max(bytes, this.#reserved[slot] ?? 0, 16);
    if (before && before.size >= needed) return before;
    if (before) this.#outgrown.push(before);
    const buffer = this.#device.createBuffer({
      label: `scratch ${slot}`,
      // Memory that has grown once will grow again.
      size: before ? 2 ** Math.ceil(Math.log2(needed)) : Math.ceil(needed / 16) * 16,
      usage: GPU_STORAGE | GPU_COPY_SRC,
    });
    this.#counts.scratchBytes += buffer.size;
    this.#slots[slot] = buffer;
    return buffer;
  }

  /** Free outgrown memory, once the commands that use it are submitted. */
  trim(): void {
    for (const buffer of this.#outgrown) this.#destroy(buffer);
    this.#outgrown = [];
    this.copies?.trim();
  }

  destroy(): void {
    this.trim();
    for (const buffer of this.#slots) this.#destroy(buffer);
    this.#slots.length = 0;
    this.copies?.destroy();
    this.#absent?.destroy();
  }

  #destroy(buffer: GPUBuffer): void {
    this.#counts.scratchBytes -= buffer.size;
    buffer.destroy();
  }
}

/** Size of the largest element of a binding, a vector of four. */
const ABSENT_BYTES = 16;

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_SRC = 0x04;
const GPU_STORAGE = 0x80;
