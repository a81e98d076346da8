import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "../conv2d/index.ts";
import type { AddedVariants, Kernel, ParamValues, RoleVariants } from "../launch/kernel.ts";
import { matmul } from "../matmul/index.ts";
import { forward, inputGrad, weightGrad } from "./conv2d.ts";
import { product } from "./matmul.ts";

export { MATRIX_FEATURES, matrixKind } from "../launch/matrices.ts";
/** A shader that compiles where matrix units are written as these kernels write them. */
export { default as matrixProbe } from "../matmul/matrix.wgsl?raw";

/** By kernel; of its parameters, whichever those are. */
const added = new Map<unknown, unknown>([
  [conv2d, forward],
  [conv2dInputGrad, inputGrad],
  [conv2dWeightGrad, weightGrad],
  [matmul, product],
]);

/** For GPUs with matrix units: loaded where the adapter has them. */
export const matrixUnits: AddedVariants = {
  variantsOf: <P extends ParamValues>(kernel: Kernel<P>) => added.get(kernel) as RoleVariants<P> | undefined,
};
