// Imports of a page that predicts with a ResNet and trains one.
export { resnet50 } from "@shadegrad/resnet";
export { backward, compile, crossEntropy, init, scope, tensor } from "@shadegrad/tensor";
export { evaluate, loadSafetensors, train } from "@shadegrad/tensor/nn";
export { SGD } from "@shadegrad/tensor/optim";
