import type { Device } from "../gpu/device.ts";

/** A buffer that one or more tensors look at; it goes back to the pool with the last of them. */
export class Storage {
  readonly device: Device;
  readonly bytes: number;
  /** How often the contents were replaced in place. */
  version = 0;
  readonly #buffer: GPUBuffer | undefined;
  readonly #what: string;
  #users = 1;

  /** @param planned whether it gets no memory of its own: `compile` finds some for it */
  constructor(device: Device, bytes: number, what: string, planned: boolean) {
    this.device = device;
    this.bytes = bytes;
    this.#what = what;
    if (planned) device.checkFits(bytes, what);
    else this.#buffer = device.allocate(bytes, what);
  }

  /** @throws Error if it has no memory of its own. */
  get buffer(): GPUBuffer {
    if (!this.#buffer) {
      throw new Error(
        `${this.#what} has no numbers: it was made while compile recorded a function, which only writes down what to launch. Return it from the function, and read what a call gives.`,
      );
    }
    return this.#buffer;
  }

  /** Whether it has no memory of its own. */
  get isPlanned(): boolean {
    return !this.#buffer;
  }

  /** How many look at it: tensors, and a recorder that holds it. */
  get users(): number {
    return this.#users;
  }

  /** Whether several look at it. */
  get isShared(): boolean {
    return this.#users > 1;
  }

  /** @throws Error if its memory was given back already. */
  share(): this {
    if (this.#users === 0) throw new Error(`${this.#what} was given back, and is used after that.`);
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0 && this.#buffer) this.device.free(this.#buffer);
  }
}
