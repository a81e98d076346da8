// Imports of a page that predicts with a ResNet and trains one.
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-webgpu";

export {
  add,
  batchNorm,
  conv2d,
  losses,
  matMul,
  maxPool,
  mean,
  moments,
  mul,
  oneHot,
  pad,
  ready,
  relu,
  setBackend,
  tensor,
  tidy,
  train,
  variable,
} from "@tensorflow/tfjs-core";
