export { conv2d } from "./forward.ts";
export { conv2dInputGrad } from "./inputGrad.ts";
export { type Conv2dParams, weights } from "./params.ts";
export { conv2dInputGradReference, conv2dReference, conv2dWeightGradReference } from "./reference.ts";
export { forwardTiles, inputGradTiles } from "./tiles.ts";
export {
  type Conv2dWeightGradParams,
  conv2dWeightGrad,
  sumPartials,
  weightGradSplits,
  weightGradTiles,
} from "./weightGrad.ts";
