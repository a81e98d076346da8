import type { Placed } from "./placed.ts";

/** A read of a variant that is bound as a copy in memory of another kind, made right before the launch. */
export interface CopiedRead {
  /** Elements to copy. */
  readonly elements: number;
  /** Holes of the shader for that memory. */
  readonly holes: Readonly<Record<string, string>>;
  readonly layout: Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture" | "texture">;
  /** Key of the layout. */
  readonly key: string;
}

/** An operand's copy. */
export interface Copied {
  /** Identity of the resource. */
  readonly memory: object;
  readonly resource: () => GPUBindingResource;
  /** Make the copy, outside of a pass. */
  copy(encoder: GPUCommandEncoder): void;
}

/** Memory for copies: launches run in turn, so those of one binding share it. */
export interface CopyMemory {
  readonly bytes: number;
  /** Reserve memory for a binding, so that it need not grow. */
  reserve(binding: number, read: CopiedRead): void;
  find(binding: number, read: CopiedRead, from: Placed): Copied;
  /** Free outgrown memory, once the commands that use it are submitted. */
  trim(): void;
  destroy(): void;
}
