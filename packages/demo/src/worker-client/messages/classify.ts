import type { Guess } from "@shadegrad/resnet";

/** Time of a stage of a classification: decode, resize, the net's stages. */
export interface StageTime {
  readonly name: string;
  readonly milliseconds: number;
}

export interface Classification {
  readonly top: readonly Guess[];
  readonly stages: readonly StageTime[];
  /** Total time, from the picture's bytes to the classes. */
  readonly milliseconds: number;
  /** The crop that the net classified, as RGBA. */
  readonly crop: { readonly side: number; readonly pixels: Uint8ClampedArray<ArrayBuffer> };
  readonly adapter: string;
  readonly net: string;
}

/** Classes of a camera's frame, and the time from its pixels to them. */
export interface LiveAnswer {
  readonly top: readonly Guess[];
  readonly milliseconds: number;
}
