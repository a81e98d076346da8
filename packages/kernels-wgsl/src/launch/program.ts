import type { Copied } from "./copies.ts";
import type { Epilogue } from "./epilogue.ts";
import {
  type Holes,
  type Interface,
  type Kernel,
  layout,
  type ParamValues,
  type Workgroups,
  writeParams,
} from "./kernel.ts";
import type { Placed } from "./placed.ts";
import type { Scratch } from "./scratch.ts";
import type { Launched } from "./timing.ts";

/** A launch that is to be made many times: its buffers, or parts of buffers, are known. */
export interface Planned<P extends ParamValues = ParamValues> {
  readonly kernel: Kernel<P>;
  readonly params: P;
  /** The kernel's reads, those of the epilogue that there are, and its writes. */
  readonly buffers: readonly Placed[];
  readonly holes?: Holes | undefined;
  readonly epilogue?: Epilogue | undefined;
  readonly variant?: string | undefined;
}

/** A dispatch with everything made that a GPU needs for it. */
export interface Prepared {
  readonly kernel: Interface;
  readonly launched: Launched;
  /** Index of the planned launch that it belongs to, and its parameters from those of that launch. */
  readonly planned: number;
  readonly paramsFrom: (params: ParamValues) => ParamValues;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  /** Copies before the launch, outside of a pass. */
  readonly copies: readonly Copied[];
  readonly grid: Workgroups;
  /** Offset of its `Params` in the program's uniforms: the one dynamic offset. */
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
  readonly launches: readonly Prepared[];
  readonly #uniforms: GPUBuffer;
  readonly #scratch: Scratch;
  readonly #params: DataView<ArrayBuffer>;
  /** Bytes of the parameters that changed since they were written: from, and up to. */
  #stale: [number, number];

  /** The scratch memory is its own. */
  constructor(launches: readonly Prepared[], uniforms: GPUBuffer, scratch: Scratch) {
    this.launches = launches;
    this.#uniforms = uniforms;
    this.#scratch = scratch;
    this.#params = new DataView(new ArrayBuffer(uniforms.size));
    this.#stale = [0, uniforms.size];
    for (const launch of launches) this.#write(launch, launch.launched.params);
  }

  /** Give planned launch `i` other parameters from its next run on. They must not need another grid. */
  setParams(i: number, params: ParamValues): void {
    for (const launch of this.launches) {
      if (launch.planned === i) this.#write(launch, launch.paramsFrom(params));
    }
  }

  #write({ kernel, offsets: [offset] }: Prepared, params: ParamValues): void {
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

  /** Bytes of memory that its launches use for themselves. */
  get scratchBytes(): number {
    return this.#scratch.bytes;
  }

  destroy(): void {
    this.#uniforms.destroy();
    this.#scratch.destroy();
  }
}
