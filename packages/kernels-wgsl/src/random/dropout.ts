import { filling, type Kernel } from "../launch/kernel.ts";
import source from "./dropout.wgsl?raw";
import { POSITION, type Position, position, STREAM, type Stream } from "./stream.ts";

export type DropoutParams = Position & Record<"length" | "threshold" | "scale", number>;

/** y = x / (1 − rate) with each element kept by chance 1 − rate, else 0. Hole: `Elem`. */
export const dropout: Kernel<DropoutParams> = {
  name: "dropout",
  reads: ["x"],
  writes: ["y"],
  params: {
    ...POSITION,
    length: "u32",
    threshold: "u32",
    scale: "f32",
  },
  numbers: [...STREAM, "threshold"],
  variants: {
    plain: { name: "blocks", source, workgroups: ({ length }) => filling(length / 4, 256) },
  },
  cost: ({ length }) => ({ flops: length, bytes: 8 * length }),
};

/** Drop with probability `rate`, to 24 bits. */
export function dropoutParams(length: number, stream: Stream, rate: number): DropoutParams {
  const threshold = Math.round(rate * 2 ** 24);
  return { ...position(stream), length, threshold, scale: rate === 1 ? 0 : 1 / (1 - rate) };
}
