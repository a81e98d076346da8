/** Preprocessing of pixels: (pixel · range / 255 − mean) / std, channel by channel in the order given. */
export interface Preprocessing {
  readonly channels: "rgb" | "bgr" | "grey";
  readonly range: 1 | 255;
  /** A number a channel: three, or one of grey. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}
