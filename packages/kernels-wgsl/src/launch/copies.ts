import type { Placed } from "./placed.ts";

/** A read of a variant that is bound as a copy in memory of another kind, made right before the launch. */
export interface CopiedRead {
  /** Elements to copy. */
  readonly elements: number;
  /** Holes by which the shader is told of that memory. */
  readonly holes: Readonly<Record<string, string>>;
  readonly layout: Pick<GPUBindGroupLayoutEntry, "buffer" | "storageTexture" | "texture">;
  /** The same for reads of the same layout. */
  readonly key: string;
}

/** An operand's copy. */
export interface Copied {
  /** The same object as long as the resource is the same. */
  readonly memory: object;
  readonly resource: () => GPUBindingResource;
  /** Make it, outside of a pass. */
  copy(encoder: GPUCommandEncoder): void;
}

/** Memory for copies: launches run in turn, so those of one binding share it. */
export interface CopyMemory {
  readonly bytes: number;
  /** Say what a binding will have to hold, so that its memory need not grow. */
  reserve(binding: number, read: CopiedRead): void;
  find(binding: number, read: CopiedRead, from: Placed): Copied;
  /** Give back what was outgrown, once the commands that use it are submitted. */
  trim(): void;
  destroy(): void;
}
