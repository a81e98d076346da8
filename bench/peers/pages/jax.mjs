// What a page imports that predicts with a ResNet and trains one.
export { defaultDevice, init, jit, lax, nn, numpy, valueAndGrad } from "@jax-js/jax";
