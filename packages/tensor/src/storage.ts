import type { Device } from "./device.ts";

/** A buffer that one or more tensors look at; it goes back to the pool with the last of them. */
export class Storage {
  readonly device: Device;
  readonly buffer: GPUBuffer;
  /** How often the contents were replaced in place. */
  version = 0;
  #users = 1;

  constructor(device: Device, bytes: number, what: string) {
    this.device = device;
    this.buffer = device.allocate(bytes, what);
  }

  /** Whether several tensors look at it. */
  get isShared(): boolean {
    return this.#users > 1;
  }

  share(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) this.device.free(this.buffer);
  }
}
