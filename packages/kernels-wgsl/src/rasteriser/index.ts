import type { Kernel, ParamValues, Rasteriser, RoleVariants } from "../launch/kernel.ts";
import { conv2d, conv2dInputGrad, conv2dWeightGrad, forward, inputGrad, weightGrad } from "./conv2d/index.ts";
import { matmul, product } from "./matmul/index.ts";
import { Textures } from "./textures.ts";

export { resizeRows } from "./pad-channels.ts";

/** By kernel; of its parameters, whichever those are. */
const added = new Map<unknown, unknown>([
  [conv2d, forward],
  [conv2dInputGrad, inputGrad],
  [conv2dWeightGrad, weightGrad],
  [matmul, product],
]);

/** For llvmpipe and SwiftShader: loaded where the adapter is one of them. */
export const rasteriser: Rasteriser = {
  variantsOf: <P extends ParamValues>(kernel: Kernel<P>) => added.get(kernel) as RoleVariants<P> | undefined,
  copyMemory: (device, counts) => new Textures(device, counts),
};
