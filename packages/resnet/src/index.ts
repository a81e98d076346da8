export { ResNetBase, type ResNetOptions } from "./base.ts";
export {
  type BlockOptions,
  type BottleneckOptions,
  BottleneckResidualBlock,
  ResidualBlock,
  type Shortcut,
  ShortcutPadding,
  ShortcutProjection,
} from "./blocks.ts";
export * from "./checkpoints/index.ts";
export * from "./data/index.ts";
export {
  ConvGroup,
  FASTNET_KEY,
  FastNet,
  type FastNetOptions,
  type FastRecipe,
  fastNetOf,
  fastRecipe,
  whiten,
} from "./fast/index.ts";
export { freeze, replaceHead, unfreeze } from "./fine-tuning.ts";
export { type Listener, type Located, layersOf, listening } from "./listen.ts";
export { type Classification, Classifier, type LoadOptions, load } from "./load.ts";
export { exportOnnx, type OnnxOptions, onnxChunks } from "./onnx/index.ts";
export {
  type Guess,
  inGrey,
  isForLarge,
  type PictureInput,
  pictureInput,
  preprocessed,
  ranked,
} from "./picture.ts";
export type { PictureSource } from "./picture-source.ts";
export { pictureTensor } from "./picture-tensor.ts";
export { type Summary, type SummaryRow, summary, summaryRow } from "./summary.ts";
export { type TrainedModel, trainedModels } from "./trained-models.ts";
export * from "./training/index.ts";
export * from "./zoo.ts";
