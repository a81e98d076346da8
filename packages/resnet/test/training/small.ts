import type { Tensor } from "@shadegrad/tensor";
import { manualSeed } from "@shadegrad/tensor";
import { Dropout, type Layer, stateDict } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { ImageSet, ResNet } from "../../src/index.ts";

/** A net that is quick to train, with all that a checkpoint has to keep: running statistics and dropout. */
export class Small implements Layer {
  readonly net: ResNet;
  readonly dropout = new Dropout(0.1);

  constructor(seed = 1) {
    manualSeed(seed);
    this.net = new ResNet({
      nBlocks: [1, 1],
      nChannels: [4, 8],
      firstKernelSize: 3,
      stemStride: 1,
      stemRelu: true,
      bias: false,
      classes: 3,
    });
  }

  forward(x: Tensor): Tensor {
    return this.net.forward(this.dropout.forward(x));
  }
}

export const sgd = (model: object): SGD => new SGD(model, { lr: 0.05, momentum: 0.9, weightDecay: 1e-4 });

/** Images of noise in which one of three colours prevails: a class each. */
export function colours(length: number, seed = 1): ImageSet {
  let state = seed;
  const noise = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  const labels = Uint8Array.from({ length }, () => noise() % 3);
  const images = Uint8Array.from({ length: length * 8 * 8 * 3 }, (_, i) =>
    Math.min(255, (noise() >> 1) + (i % 3 === labels[Math.floor(i / 192)] ? 90 : 0)),
  );
  return new ImageSet({
    images,
    labels,
    shape: [8, 8, 3],
    classes: ["red", "green", "blue"],
    normalization: { mean: [0.35, 0.35, 0.35], std: [0.2, 0.2, 0.2] },
  });
}

/** Every number that a model holds. */
export async function numbers(model: object): Promise<Record<string, number[]>> {
  const entries = [...stateDict(model)].map(
    async ([name, tensor]) => [name, [...(await tensor.data())]] as [string, number[]],
  );
  return Object.fromEntries(await Promise.all(entries));
}
