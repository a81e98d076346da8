import { conv2d } from "../conv2d/forward.ts";
import type { Conv2dParams } from "../conv2d/params.ts";
import { type Adapter, allVariants, fits, type Kernel, strided } from "../launch/kernel.ts";
import source from "./resizeRows.wgsl?raw";

/** y [rows, length] with the first elements of each row of x [rows, width], and zeros after them. */
export const fitRows: Kernel<Record<"rows" | "width" | "length", number>> = {
  name: "fitRows",
  reads: ["x"],
  writes: ["y"],
  params: { rows: "u32", width: "u32", length: "u32" },
  variants: {
    plain: {
      name: "vec4",
      source,
      workgroups: ({ rows, length }) => strided((rows * length) / 4, 64),
    },
  },
  cost: ({ rows, width, length }) => ({ flops: 0, bytes: 4 * rows * (Math.min(width, length) + length) }),
};

/**
 * Where an adapter is much faster with channels in fours, and zeros among them make them so: the
 * convolution with those; otherwise undefined.
 */
export function inFours(p: Conv2dParams, adapter: Adapter): Conv2dParams | undefined {
  const padded = { ...p, C: Math.ceil(p.C / 4) * 4 };
  const fetches = allVariants(conv2d).some((variant) => variant.textures && fits(variant, padded, adapter));
  return p.C % 4 !== 0 && p.groups === 1 && adapter.software && fetches ? padded : undefined;
}
