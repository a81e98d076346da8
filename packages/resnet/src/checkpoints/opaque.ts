import { quote } from "./checkpoint-file.ts";

/**
 * An object of a pickle whose class is not known: passed over, never made.
 *
 * Its items and attributes are kept, since a state dict may be among them.
 */
export class Opaque {
  /** Class or function, as `module.name`. */
  readonly name: string;
  /** Items that were set by key, as on a dict; under "", the dict of its attributes. */
  readonly items = new Map<unknown, unknown>();

  constructor(name: string) {
    this.name = name;
  }
}

/** A class or function that is not known: calling it gives an {@link Opaque}. */
export class OpaqueClass {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Bytes, or a bytearray: passed over, since no tensor depends on them. */
export const BYTES = Symbol("bytes");

/** A value of a pickle, for a message. */
export function describe(value: unknown): string {
  if (value === null) return "None";
  if (value instanceof Map) return "a dict";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `the string ${quote(value)}`;
  if (value instanceof Opaque) return `an object of ${quote(value.name)}`;
  if (value instanceof OpaqueClass) return `the name ${quote(value.name)}`;
  if (typeof value === "object") return "a tensor or storage";
  if (typeof value === "symbol") return "bytes";
  return typeof value === "function" ? "a function" : `the ${typeof value} ${String(value).slice(0, 40)}`;
}
