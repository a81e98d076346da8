import type { Bound } from "./bindings.ts";
import type { Copied } from "./copies.ts";
import type { Placed } from "./placed.ts";

/** An operand in a buffer that serves all launches: it is copied there before a launch, and results back after it. */
class Relayed implements Copied {
  readonly memory: GPUBuffer;
  readonly #operand: Placed;

  constructor(operand: Placed, memory: GPUBuffer) {
    this.#operand = operand;
    this.memory = memory;
  }

  resource(): GPUBindingResource {
    return { buffer: this.memory };
  }

  copy(encoder: GPUCommandEncoder): void {
    const { buffer, offset = 0 } = this.#operand;
    encoder.copyBufferToBuffer(buffer, offset, this.memory, 0, this.memory.size);
  }

  copyBack(encoder: GPUCommandEncoder): void {
    const { buffer, offset = 0 } = this.#operand;
    encoder.copyBufferToBuffer(this.memory, 0, buffer, offset, this.memory.size);
  }
}

/**
 * Launches without bind groups of their own, for stretches of code that make more than a process can hold.
 *
 * Nothing frees a bind group but the collector, in Node only in a later turn of the event loop; each holds mapped memory,
 * of which a process has 65,530 pieces under Linux. With operands copied to buffers that serve all launches, one group
 * serves all launches of the same sizes.
 */
export class Relay {
  readonly #device: GPUDevice;
  readonly #buffers = new Map<string, GPUBuffer>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Stand-ins for operands; scratch memory, which no copy reads or writes, serves all launches as it is. */
  relayed(bound: readonly Bound[]): Bound[] {
    const isOwn = (one: Placed) => (one.buffer.usage & (COPY_SRC | COPY_DST)) !== (COPY_SRC | COPY_DST);
    return bound.map((one, binding) =>
      "copy" in one || isOwn(one) ? one : new Relayed(one, this.#buffer(one, binding)),
    );
  }

  /** Copy results to where they belong: those of bindings from `first` on. */
  copyBack(bound: readonly Bound[], first: number, encoder: GPUCommandEncoder): void {
    for (const one of bound.slice(first)) if (one instanceof Relayed) one.copyBack(encoder);
  }

  /** Give the memory back. */
  clear(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }

  #buffer({ buffer, offset = 0, size = buffer.size - offset }: Placed, binding: number): GPUBuffer {
    const key = `${binding} ${size}`;
    let found = this.#buffers.get(key);
    if (!found) {
      found = this.#device.createBuffer({ label: "relay", size, usage: STORAGE | COPY_SRC | COPY_DST });
      this.#buffers.set(key, found);
    }
    return found;
  }
}

const COPY_SRC = 0x04;
const COPY_DST = 0x08;
const STORAGE = 0x80;
