import type { Staged, Textures } from "../rasteriser/textures.ts";
import {
  type Holes,
  type Interface,
  type Kernel,
  layout,
  type ParamValues,
  type Workgroups,
  writeParams,
} from "./kernel.ts";
import type { Launched } from "./timing.ts";

/** A buffer, or `size` bytes of one from `offset` on. */
export interface Placed {
  readonly buffer: GPUBuffer;
  readonly offset?: number | undefined;
  readonly size?: number | undefined;
}

/** A launch that is to be made many times: its buffers, or parts of buffers, are known. */
export interface Planned<P extends ParamValues = ParamValues> {
  readonly kernel: Kernel<P>;
  readonly params: P;
  /** The kernel's reads, then its writes. */
  readonly buffers: readonly Placed[];
  readonly holes?: Holes | undefined;
  readonly variant?: string | undefined;
}

/** A launch with everything made that a GPU needs for it. */
export interface Prepared {
  readonly kernel: Interface;
  readonly launched: Launched;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** What to copy to textures before. */
  readonly staged: readonly Staged[];
  readonly grid: Workgroups;
  /** Where its `Params` are in the program's uniforms, as the one dynamic offset. */
  readonly offsets: readonly [number];
}

/** Part of a buffer to copy to part of another; offsets and bytes are multiples of 4. */
export interface Copy {
  readonly from: Placed;
  readonly to: Placed;
  readonly bytes: number;
}

/** Launches in a row, prepared once and run many times: all that is left is to encode them. */
export class Program {
  /** One for each that was planned; none where there is nothing to do. */
  readonly launches: readonly (Prepared | undefined)[];
  readonly #uniforms: GPUBuffer;
  readonly #textures: Textures;
  readonly #params: DataView<ArrayBuffer>;
  /** Bytes of the parameters that changed since they were written: from, and up to. */
  #stale: [number, number];

  /** The textures are its own. */
  constructor(launches: readonly (Prepared | undefined)[], uniforms: GPUBuffer, textures: Textures) {
    this.launches = launches;
    this.#uniforms = uniforms;
    this.#textures = textures;
    this.#params = new DataView(new ArrayBuffer(uniforms.size));
    this.#stale = [0, uniforms.size];
    for (const [i, launch] of launches.entries()) if (launch) this.setParams(i, launch.launched.params);
  }

  /** Give launch `i` other parameters from its next run on. They must not need another grid. */
  setParams(i: number, params: ParamValues): void {
    const launch = this.launches[i];
    if (!launch) return;
    const { kernel, offsets } = launch;
    const [offset] = offsets;
    writeParams(kernel, params, this.#params, offset);
    const [first, end] = this.#stale;
    this.#stale = [Math.min(first, offset), Math.max(end, offset + layout(kernel.params).size)];
  }

  /** Before its launches are submitted: parameters that changed travel to the GPU. */
  write(queue: GPUQueue): void {
    const [first, end] = this.#stale;
    if (first < end) queue.writeBuffer(this.#uniforms, first, this.#params.buffer, first, end - first);
    this.#stale = [this.#uniforms.size, 0];
  }

  /** Bytes in the textures that its operands are copied to. */
  get textureBytes(): number {
    return this.#textures.bytes;
  }

  destroy(): void {
    this.#uniforms.destroy();
    this.#textures.destroy();
  }
}
