import type { Normalization, Pixels } from "./dataset.ts";

/** Mean, deviation and values of bytes by which pixels become the numbers of a net. */
export interface ChannelScale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** The normalized value of each byte in each channel, `[C, 256]`. */
  readonly table: Float32Array;
}

/**
 * (value − mean) / std for each of C channels; bytes count as 0 … 1, and `false` leaves it at that.
 *
 * @throws RangeError if a list is not as long as there are channels, or a deviation is not positive.
 */
export function channelScale(C: number, normalization: Normalization | false): ChannelScale {
  const { mean, std } = normalization || { mean: Array(C).fill(0), std: Array(C).fill(1) };
  if (mean.length !== C || std.length !== C || std.some((deviation) => !(deviation > 0))) {
    throw new RangeError(
      `normalize: mean is [${mean}] and std [${std}], for ${C} channels of positive deviation.`,
    );
  }
  const table = Float32Array.from({ length: 256 * C }, (_, i) => {
    const c = Math.floor(i / 256);
    return ((i % 256) / 255 - mean[c]!) / std[c]!;
  });
  return { mean, std, table };
}

/** Pixels of one picture, `[…, C]`, normalized. */
export function normalized(
  pixels: Pixels,
  C: number,
  normalization: Normalization | false,
): Float32Array<ArrayBuffer> {
  const { mean, std, table } = channelScale(C, normalization);
  const isByte = !(pixels instanceof Float32Array);
  return Float32Array.from(pixels, (value, i) => {
    const c = i % C;
    return isByte ? table[256 * c + value]! : (value - mean[c]!) / std[c]!;
  });
}
