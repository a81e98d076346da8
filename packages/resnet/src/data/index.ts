export { type Augmentation, type InputOptions, type Window, windowOf } from "./augment.ts";
export { type Batch, type BatchOptions, batches } from "./batches.ts";
export {
  CIFAR10_CLASSES,
  CIFAR10_NORMALIZATION,
  CIFAR10_PACKAGE,
  type Cifar10Options,
  cifar10,
} from "./cifar10.ts";
export {
  collect,
  type DataInput,
  type Dataset,
  datasetOf,
  type Example,
  ImageSet,
  type ImageSetOptions,
  type ImageShape,
  type Normalization,
  type Pixels,
  type Sample,
} from "./dataset.ts";
export { type DecodedImage, decodeBitmap, decodeImage } from "./decode.ts";
export { shuffled } from "./draws.ts";
export {
  IMAGENET_NORMALIZATION,
  type ImageFolder,
  type ImageFolderOptions,
  imageFolder,
} from "./image-folder.ts";
export {
  IMAGENET_RESNET50_EPSILON,
  IMAGENET_RESNET50_PACKAGE,
  imageNetResnet50,
  type PublishedNet,
} from "./imagenet.ts";
export { IMAGENET_CLASSES } from "./imagenet-classes.ts";
export { cachedPackage, type FetchOptions, type NpmPackage, npmPackage } from "./npm-package.ts";
export { leftOutOf, type PictureFiles, pictureFiles } from "./picture-files.ts";
export { cropCentre, type Rectangle, resize, resizeCentre, resizeShorter } from "./resize.ts";
