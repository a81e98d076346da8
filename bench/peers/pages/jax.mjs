// Imports of a page that predicts with a ResNet and trains one.
export { defaultDevice, init, jit, lax, nn, numpy, valueAndGrad } from "@jax-js/jax";
