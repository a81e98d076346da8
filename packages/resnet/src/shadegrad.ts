/**
 * All packages in one module, for pages without a bundler: `dist/shadegrad.js` has no imports. An import map may give it the
 * name of each package.
 *
 * Where two packages have a name: `train` is that of ResNets, and the mode of layers is `trainMode`; `init` opens a device, and
 * initial weights are in `initial`.
 */
export * from "@shadegrad/tensor";
export { type Conv2dOptions, type ConvTranspose2dOptions, init, type NormOptions } from "@shadegrad/tensor";
export * from "@shadegrad/tensor/formats";
export * from "@shadegrad/tensor/nn";
export { init as initial, train as trainMode } from "@shadegrad/tensor/nn";
export * from "@shadegrad/tensor/optim";
export * from "./index.ts";
export { type LoadOptions, train } from "./index.ts";
