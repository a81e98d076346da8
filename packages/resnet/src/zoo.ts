import { checkOptions, type Tensor } from "@shadegrad/tensor";
import { type Layer, Linear } from "@shadegrad/tensor/nn";
import { RESNET_OPTIONS, ResNetBase, type ResNetOptions } from "./base.ts";
import type { Preprocessing } from "./preprocessing.ts";

/** Options of a net of the zoo; all others are fixed. */
export interface ZooOptions extends Partial<Omit<ResNetOptions, "nBlocks">> {
  /** Number of classes: ImageNet's 1000 or CIFAR-10's 10 if absent. */
  classes?: number;
}

const OPTIONS = [...RESNET_OPTIONS, "classes"];

/** A ResNetBase and a linear layer: an image in, a score for each class out. */
export class ResNet implements Layer {
  readonly base: ResNetBase;
  fc: Linear;
  /** Names of the classes by number, if they are known: `loadCheckpoint` sets them, `saveCheckpoint` writes them. */
  labels?: readonly string[];
  /** Preprocessing of the pixels that the weights expect, if it is known; kept like `labels`. */
  preprocessing?: Preprocessing;
  /** The arguments that built it: what a checkpoint reader needs to know. */
  options: Readonly<ResNetOptions & { classes: number }>;

  constructor(given: ResNetOptions & { classes: number }) {
    checkOptions("ResNet", given, OPTIONS);
    const { classes, ...options } = given;
    this.base = new ResNetBase(options);
    this.fc = new Linear(this.base.outChannels, classes);
    this.options = { ...options, classes };
  }

  /** [N, H, W, imgChannels] → [N, classes] */
  forward(x: Tensor): Tensor {
    return this.fc.forward(this.base.forward(x));
  }
}

function withDefaults(options: ZooOptions, defaults: ResNetOptions & { classes: number }): ResNet {
  checkOptions("ResNet", options, OPTIONS);
  return new ResNet({ ...defaults, ...options, classes: options.classes ?? defaults.classes });
}

/** ImageNet's nets (table 1): 7×7 of stride 2, ReLU and max-pool first; no biases. */
const imageNet = (nBlocks: readonly number[], options: ZooOptions, bottleneck = 0, groups = 1): ResNet =>
  withDefaults(options, {
    nBlocks,
    nChannels: WIDTHS.map((width) => (bottleneck ? 4 * width : width)),
    ...(bottleneck ? { bottlenecks: WIDTHS.map((width) => width * bottleneck) } : {}),
    ...(groups > 1 && { groups }),
    stemChannels: 64,
    stemRelu: true,
    stemPool: true,
    bias: false,
    classes: 1000,
  });

const WIDTHS = [64, 128, 256, 512];

/** 18 layers of two-layer blocks: 11.7 million parameters, 1.8 billion multiply-adds at 224². */
export const resnet18 = (options: ZooOptions = {}): ResNet => imageNet([2, 2, 2, 2], options);
export const resnet34 = (options: ZooOptions = {}): ResNet => imageNet([3, 4, 6, 3], options);
/** 50 layers of bottlenecks: 25.6 million parameters, 4.1 billion multiply-adds at 224². */
export const resnet50 = (options: ZooOptions = {}): ResNet => imageNet([3, 4, 6, 3], options, 1);
export const resnet101 = (options: ZooOptions = {}): ResNet => imageNet([3, 4, 23, 3], options, 1);
export const resnet152 = (options: ZooOptions = {}): ResNet => imageNet([3, 8, 36, 3], options, 1);
/** Bottlenecks twice as wide (Zagoruyko & Komodakis 2016): fewer, fatter layers, which suit a GPU better. */
export const wideResnet50 = (options: ZooOptions = {}): ResNet => imageNet([3, 4, 6, 3], options, 2);
/** ResNeXt-50 32×4d (Xie et al. 2017): 32 narrow paths in each bottleneck, as one grouped convolution. */
export const resnext50 = (options: ZooOptions = {}): ResNet => imageNet([3, 4, 6, 3], options, 2, 32);

/** CIFAR's nets (section 4.2): 6n + 2 layers, three stages of n blocks at 32², 16², 8²; option A shortcuts. */
const cifar = (n: number, options: ZooOptions): ResNet =>
  withDefaults(options, {
    nBlocks: [n, n, n],
    nChannels: [16, 32, 64],
    firstKernelSize: 3,
    stemStride: 1,
    stemRelu: true,
    bias: false,
    shortcut: "pad-both",
    classes: 10,
  });

export const resnet8 = (options: ZooOptions = {}): ResNet => cifar(1, options);
export const resnet20 = (options: ZooOptions = {}): ResNet => cifar(3, options);
export const resnet32 = (options: ZooOptions = {}): ResNet => cifar(5, options);
export const resnet44 = (options: ZooOptions = {}): ResNet => cifar(7, options);
export const resnet56 = (options: ZooOptions = {}): ResNet => cifar(9, options);
export const resnet110 = (options: ZooOptions = {}): ResNet => cifar(18, options);

/** Every net by name, for command lines and menus. */
export const zoo = {
  resnet8,
  resnet18,
  resnet20,
  resnet32,
  resnet34,
  resnet44,
  resnet50,
  resnet56,
  resnet101,
  resnet110,
  resnet152,
  resnext50,
  wideResnet50,
} as const;
