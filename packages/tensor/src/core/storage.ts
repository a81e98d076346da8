import type { Device } from "../gpu/device.ts";

/** Bytes of which the offset of a part is a multiple: no adapter asks for more. */
const ALIGNMENT = 256;

/** Bytes that a part of a storage takes with its padding, up to the next part. */
export const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Name in errors: text, or an object that makes the text once it is needed. */
export type Named = { toString(): string };

/** Source of a storage's memory: planned by `compile`, from the pool, a buffer of just its size, or adjacent parts. */
export type Memory = "planned" | "pooled" | "exact" | readonly Storage[];

const NO_PARTS: readonly Storage[] = [];

/** A buffer, or a part of one, that one or more tensors look at; it is given back with the last of them. */
export class Storage {
  /** Moves of all storages so far: as long as the count stands still, all memory stays where it is. */
  static moves = 0;
  readonly device: Device;
  readonly bytes: number;
  /** Count of replacements of the contents in place. */
  version = 0;
  /** Count of the replacements among them that were made at once, and not by a compiled function. */
  changes = 0;
  /** The adjacent storages that this one spans; none as a rule. */
  readonly parts: readonly Storage[];
  /** The storage that this one is a part of; that one is part of none. */
  whole: Storage | undefined;
  /** Bytes from the beginning of the buffer, or of `whole` where that is planned. */
  offset = 0;
  /** Bytes to bind; undefined: all that the buffer has. */
  size: number | undefined;
  #buffer: GPUBuffer | undefined;
  readonly #exact: boolean;
  readonly #what: Named;
  #users = 1;

  constructor(device: Device, bytes: number, what: Named, memory: Memory) {
    this.device = device;
    this.bytes = bytes;
    this.#what = what;
    this.#exact = memory === "exact";
    this.parts = typeof memory === "string" ? NO_PARTS : memory;
    const [first] = this.parts;
    if (first) {
      this.whole = first.whole?.share();
      this.#buffer = first.#buffer;
      this.offset = first.offset;
      this.size = bytes;
    } else if (memory === "planned") device.checkFits(bytes, what);
    else this.#buffer = this.#exact ? device.reserve(bytes) : device.allocate(bytes, what);
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

  /** True if it has no memory of its own. */
  get isPlanned(): boolean {
    return !this.#buffer;
  }

  /** Number of users: tensors, and a recorder that holds it. */
  get users(): number {
    return this.#users;
  }

  /** The storage that `compile` finds memory for: this one, or the planned one that it is a part of. */
  get root(): Storage {
    return this.isPlanned ? (this.whole ?? this) : this;
  }

  /** True if several look at it. */
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
    if (--this.#users > 0) return;
    if (this.whole) this.whole.release();
    else if (this.#buffer) this.#giveBack(this.#buffer);
  }

  /** Count the contents as replaced; at once, or by a function that is recorded. */
  touch(atOnce: boolean): void {
    this.version++;
    if (atOnce) this.changes++;
    for (const part of this.parts) part.touch(atOnce);
  }

  /** Be a part of another storage from here on, for every tensor that looks at it. Its numbers are there already. */
  moveInto(whole: Storage, offset: number): void {
    const { whole: before } = this;
    const own = this.#buffer;
    this.whole = whole.share();
    this.#buffer = whole.#buffer;
    this.offset = offset;
    this.size = padded(this.bytes);
    Storage.moves++;
    if (before) before.release();
    else if (own) this.#giveBack(own);
  }

  #giveBack(buffer: GPUBuffer): void {
    if (this.#exact) this.device.release(buffer);
    else this.device.free(buffer);
  }
}
