import {
  backward,
  crossEntropy,
  type Device,
  init,
  manualSeed,
  scope,
  type Tensor,
  tensor,
} from "../src/index.ts";
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  dispose,
  GlobalAvgPool2d,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  stateDict,
} from "../src/nn/index.ts";
import { SGD } from "../src/optim/index.ts";

const [SIDE, CLASSES, BATCH] = [12, 4, 8];

/** A net of all that a convolutional net has: [N, 12, 12, 3] → [N, 4]. */
export const smallNet = (): Sequential =>
  new Sequential(
    new Conv2d(3, 8, 3, { padding: 1 }),
    new BatchNorm2d(8),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(8, 16, 3, { stride: 2, padding: 1 }),
    new BatchNorm2d(16),
    new ReLU(),
    new GlobalAvgPool2d(),
    new Dropout(0.1),
    new Linear(16, CLASSES),
  );

/** Images of a class are noise, brighter in one quarter: a batch for each step, the same everywhere. */
export function batchOf(step: number): { x: Tensor; labels: Tensor } {
  let state = (step + 1) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const labels = Int32Array.from({ length: BATCH }, () => Math.floor(next() * CLASSES));
  const pixels = Float32Array.from({ length: BATCH * SIDE * SIDE * 3 }, (_, i) => {
    const [n, row, column] = [
      Math.floor(i / 3 / SIDE / SIDE),
      Math.floor(i / 3 / SIDE) % SIDE,
      Math.floor(i / 3) % SIDE,
    ];
    const quarter = 2 * Number(row >= SIDE / 2) + Number(column >= SIDE / 2);
    return next() - 0.5 + (quarter === labels[n] ? 0.75 : 0);
  });
  return { x: tensor(pixels, [BATCH, SIDE, SIDE, 3]), labels: tensor(labels) };
}

/** One step of training; gives the loss, on the device. */
export const trainStep = (net: Sequential, optimizer: SGD, step: number): Tensor =>
  scope(() => {
    const { x, labels } = batchOf(step);
    const loss = crossEntropy(net.forward(x), labels);
    optimizer.zeroGrad();
    backward(loss);
    optimizer.step();
    return loss;
  });

/** Result of a training: a hash of each tensor's bits, and the losses. */
export interface Trained {
  adapter: string;
  losses: number[];
  state: Record<string, string>;
}

/** Train from a seed for 20 steps. */
export async function trained(seed: number): Promise<Trained> {
  const device: Device = await init({ quiet: true });
  manualSeed(seed);
  const net = smallNet();
  const optimizer = new SGD(net, { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    using loss = trainStep(net, optimizer, step);
    losses.push(await loss.item());
  }
  const state: Record<string, string> = {};
  for (const [name, tensor] of stateDict(net)) state[name] = fnv1a(await tensor.data());
  optimizer.dispose();
  dispose(net);
  return { adapter: device.name, losses, state };
}

/** The 32-bit FNV-1a hash of the bytes, in hexadecimal. */
function fnv1a({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
