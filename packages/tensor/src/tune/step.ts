import { backward } from "../backward/backward.ts";
import { noGrad } from "../core/autograd.ts";
import { zeros } from "../core/create.ts";
import { generatorOf } from "../core/generator.ts";
import type { Tensor } from "../core/tensor.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { inMode, type Layer, stateDict } from "../nn/module.ts";
import { crossEntropy } from "../ops/loss.ts";
import { mean } from "../ops/reduce.ts";
import { SGD } from "../optim/sgd.ts";

/** Device of a model's tensors. */
export const deviceOf = (model: object): Device =>
  stateDict(model).values().next().value?.device ?? defaultDevice();

/**
 * Hand `recorded` what a model does with an image, in use or at a step of training, to be recorded. Then the model is as
 * it was: its mode, its gradients, where its random numbers come from.
 */
export function withStep<T>(
  model: Layer & object,
  training: boolean,
  recorded: (step: (x: Tensor) => Tensor) => T,
): T {
  if (!training) return inMode(model, false, () => recorded((x) => noGrad(() => model.forward(x))));
  const tensors = [...stateDict(model).values()];
  const gradients = tensors.map(({ grad }) => grad);
  const generator = generatorOf(deviceOf(model));
  const { offset } = generator;
  using optimizer = new SGD(model, { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 });
  try {
    for (const x of tensors) x.grad = undefined;
    return inMode(model, true, () => recorded((x) => trainingStep(model, optimizer, x)));
  } finally {
    tensors.forEach((x, i) => {
      x.grad = gradients[i];
    });
    generator.offset = offset;
  }
}

/** One step: the loss of a classifier, or the mean of another model's outputs, its gradients, and the optimizer's update. */
function trainingStep(model: Layer, optimizer: SGD, x: Tensor): Tensor {
  const y = model.forward(x);
  const [N = 0] = y.shape;
  const { device } = x;
  const loss = y.shape.length === 2 ? crossEntropy(y, zeros([N], { dtype: "i32", device })) : mean(y);
  backward(loss);
  optimizer.step();
  optimizer.zeroGrad();
  return loss;
}
