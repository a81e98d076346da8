export { fitRows, inFours } from "../rasteriser/pad-channels.ts";
export { conv2d } from "./forward.ts";
export { conv2dInputGrad } from "./inputGrad.ts";
export type { Conv2dParams } from "./params.ts";
export { conv2dInputGradReference, conv2dReference, conv2dWeightGradReference } from "./reference.ts";
export {
  type Conv2dWeightGradParams,
  conv2dWeightGrad,
  sumPartials,
  weightGradSplits,
} from "./weightGrad.ts";
