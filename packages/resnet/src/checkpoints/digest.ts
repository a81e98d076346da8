import type { HostDType } from "@shadegrad/tensor/formats";

/** A tensor as a digest sees it: the bytes are those of the file, little-endian. */
export interface DigestedTensor {
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** SHA-256 over tensors and strings by name; the order in which they are added does not matter. */
export class Digest {
  readonly #tensors = new Map<string, string>();

  async add(name: string, { dtype, shape, bytes }: DigestedTensor): Promise<void> {
    this.#tensors.set(name, JSON.stringify([dtype, shape, hex(await sha256(bytes))]));
  }

  /** The digest of all tensors so far and of the strings beside them, as 64 hexadecimal digits. */
  async finish(metadata: Iterable<readonly [string, string]>): Promise<string> {
    const sorted = (entries: Iterable<readonly [string, string]>) =>
      [...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
    const manifest = JSON.stringify([sorted(metadata), sorted(this.#tensors)]);
    return hex(await sha256(new TextEncoder().encode(manifest)));
  }
}

const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
