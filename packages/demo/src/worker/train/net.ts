import { ResNet } from "@shadegrad/resnet";
import { Adam, AdamW, SGD } from "@shadegrad/tensor/optim";
import type { TrainSettings } from "../../worker-client/messages/train.ts";

/** A ResNet for CIFAR (He et al. 2015, section 4.2) of any depth and width, with shortcuts or without. */
export const netOf = ({ blocks, width, shortcuts }: TrainSettings, classes: number): ResNet =>
  new ResNet({
    nBlocks: [blocks, blocks, blocks],
    nChannels: [width, 2 * width, 4 * width],
    firstKernelSize: 3,
    stemStride: 1,
    stemRelu: true,
    bias: false,
    shortcut: shortcuts ? "pad-both" : "none",
    classes,
  });

/** SGD with the paper's momentum and weight decay, Adam or AdamW. */
export function optimizerOf({ optimizer, lr }: TrainSettings, model: ResNet): SGD | Adam | AdamW {
  if (optimizer === "SGD") return new SGD(model, { lr, momentum: 0.9, weightDecay: 1e-4 });
  return optimizer === "Adam" ? new Adam(model, { lr }) : new AdamW(model, { lr, weightDecay: 0.01 });
}
