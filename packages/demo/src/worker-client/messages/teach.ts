/** A picture to learn from: a file, or a camera's frame, which is closed. */
export type TeachPicture = Blob | VideoFrame | ImageBitmap;

/** The net whose features are used. */
export interface TeachBase {
  readonly title: string;
  readonly parameters: number;
  /** Numbers that describe a picture. */
  readonly features: number;
  /** Height and width of the input, in pixels. */
  readonly side: number;
}

export interface TeachLearn {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Numbers of the pictures, and the class of each. */
  readonly examples: readonly { readonly id: number; readonly label: number }[];
  readonly part: "head" | "last stage";
}

/** A step of learning. */
export interface TeachStep {
  readonly step: number;
  readonly of: number;
  readonly loss: number;
  /** Share of the pictures learned from that are right, from 0 to 1. */
  readonly accuracy: number;
  /** The same of pictures kept for testing; undefined where there are too few pictures for that. */
  readonly tested: { readonly accuracy: number; readonly pictures: number } | undefined;
}
