// A stranger's program, which the packaging test compiles against the packed packages.
import { map } from "@shadegrad/kernels-wgsl/map";
import {
  backward,
  crossEntropy,
  type Device,
  init,
  relu,
  scope,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import "@shadegrad/tensor/methods";
import { openSafetensors, type SafetensorsFile } from "@shadegrad/tensor/formats";
import { Linear, stateDict } from "@shadegrad/tensor/nn";
import { cosine, type Schedule, SGD } from "@shadegrad/tensor/optim";

class Net {
  readonly hidden = new Linear(2, 16);
  readonly output = new Linear(16, 2);

  forward(x: Tensor): Tensor {
    return this.output.forward(relu(this.hidden.forward(x)));
  }
}

/** One epoch, and the loss after it. */
export async function train(x: Tensor, labels: Int32Array): Promise<number> {
  const device: Device = await init();
  const limits: GPUSupportedLimits = device.gpu.limits;
  const model = new Net();
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  const schedule: Schedule = cosine({ lr: 0.1, steps: 10 });
  using targets = tensor(labels);
  using loss = scope(() => {
    const loss = crossEntropy(model.forward(x), targets);
    optimizer.zeroGrad();
    backward(loss);
    optimizer.step();
    return loss;
  });
  const names: string[] = [...stateDict(model).keys()];
  console.log(map.name, names, schedule(1), limits.maxBufferSize);
  return loss.item();
}

/** Ops as methods. */
export const centred = (x: Tensor): Tensor => x.sub(x.mean(-1, { keepdims: true })).relu();

export async function load(url: string): Promise<SafetensorsFile> {
  return await openSafetensors(url);
}
