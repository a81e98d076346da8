// Imports of a page that predicts with a ResNet.
export { resnet50 } from "@shadegrad/resnet";
export { compile, init, scope, tensor } from "@shadegrad/tensor";
export { evaluate, loadSafetensors } from "@shadegrad/tensor/nn";
