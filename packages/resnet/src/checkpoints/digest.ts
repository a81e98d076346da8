import type { HostDType } from "@shadegrad/tensor/formats";
import { sha256 } from "./sha256.ts";

/** A tensor to digest, with the bytes of the file, little-endian. */
export interface DigestedTensor {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** SHA-256 over tensors and strings by name; the order in which they are added does not matter. */
export class Digest {
  readonly #tensors = new Map<string, string>();

  async add(name: string, { dtype, shape, bytes }: DigestedTensor): Promise<void> {
    this.#tensors.set(name, JSON.stringify([dtype, shape, await sha256(bytes)]));
  }

  /** The digest of all tensors so far and of the strings beside them, as 64 hexadecimal digits. */
  async finish(metadata: Iterable<readonly [string, string]>): Promise<string> {
    const sorted = (entries: Iterable<readonly [string, string]>) =>
      [...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
    const manifest = JSON.stringify([sorted(metadata), sorted(this.#tensors)]);
    return sha256(new TextEncoder().encode(manifest));
  }
}
