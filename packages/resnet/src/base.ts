import { checkOptions, mean, relu, type Tensor } from "@shadegrad/tensor";
import { BatchNorm2d, Conv2d, type Layer, MaxPool2d } from "@shadegrad/tensor/nn";
import {
  BOTTLENECK_OPTIONS,
  type BottleneckOptions,
  BottleneckResidualBlock,
  ResidualBlock,
} from "./blocks.ts";

export interface ResNetOptions extends BottleneckOptions {
  /** Blocks of each stage: [3, 4, 6, 3]. */
  nBlocks: readonly number[];
  /** Output channels of each stage: [256, 512, 1024, 2048]. */
  nChannels: readonly number[];
  /** Channels inside the bottlenecks of each stage; absent, blocks are two 3×3 convolutions. */
  bottlenecks?: readonly number[] | undefined;
  /** Channels of the image. */
  imgChannels?: number;
  /** Side of the first convolution's window. */
  firstKernelSize?: number;
  /** Channels of the first convolution; nChannels[0] if absent. */
  stemChannels?: number;
  stemStride?: number;
  /** True if a ReLU follows the first batch norm. */
  stemRelu?: boolean;
  /** True if a 3×3 max-pool of stride 2 comes before the first stage. */
  stemPool?: boolean;
}

/** Names of the options of a `ResNetBase`. */
export const RESNET_OPTIONS: readonly (keyof ResNetOptions)[] = [
  "nBlocks",
  "nChannels",
  "bottlenecks",
  "imgChannels",
  "firstKernelSize",
  "stemChannels",
  "stemStride",
  "stemRelu",
  "stemPool",
  ...BOTTLENECK_OPTIONS,
];

/**
 * A ResNet up to its head: first convolution, stages of residual blocks, mean over the image (He et
 * al. 2015, table 1).
 *
 * Each stage after the first begins by halving the image and widening the channels, so that every
 * layer costs about the same. The mean over the image leaves one number a channel, whatever the image's
 * size was; a linear layer on it is a classifier.
 *
 * @throws RangeError if the lists differ in length, or a number of blocks or channels is not ≥ 1.
 */
export class ResNetBase implements Layer {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
  readonly blocks: readonly (ResidualBlock | BottleneckResidualBlock)[];
  /** Channels of the features. */
  readonly outChannels: number;
  /** Blocks of each stage. */
  readonly nBlocks: readonly number[];
  readonly #relu: boolean;
  readonly #pool: MaxPool2d | undefined;

  constructor(options: ResNetOptions) {
    checkOptions("ResNetBase", options, RESNET_OPTIONS);
    check(options);
    const { nBlocks, nChannels, bottlenecks, ...others } = options;
    const {
      imgChannels = 3,
      firstKernelSize = 7,
      stemChannels = nChannels[0]!,
      stemStride = 2,
      stemRelu = false,
      stemPool = false,
      ...ofBottleneck
    } = others;
    const { groups: _, strideAt: __, ...ofBlock } = ofBottleneck;
    const { bias = true } = ofBlock;
    const padding = Math.floor(firstKernelSize / 2);
    this.conv = new Conv2d(imgChannels, stemChannels, firstKernelSize, { stride: stemStride, padding, bias });
    this.bn = new BatchNorm2d(stemChannels);
    this.#relu = stemRelu;
    this.#pool = stemPool ? new MaxPool2d(3, { stride: 2, padding: 1 }) : undefined;

    let channels = stemChannels;
    this.blocks = nBlocks.flatMap((count, stage) =>
      Array.from({ length: count }, (_, i) => {
        const [inside, out] = [bottlenecks?.[stage], nChannels[stage]!];
        const stride = stage > 0 && i === 0 ? 2 : 1;
        const block =
          inside === undefined
            ? new ResidualBlock(channels, out, stride, ofBlock)
            : new BottleneckResidualBlock(channels, inside, out, stride, ofBottleneck);
        channels = out;
        return block;
      }),
    );
    this.outChannels = channels;
    this.nBlocks = nBlocks;
  }

  /** [N, H, W, imgChannels] → [N, outChannels] */
  forward(x: Tensor): Tensor {
    let y = this.stem(x);
    for (const block of this.blocks) y = block.forward(y);
    return mean(y, [1, 2]);
  }

  /** The layers before the blocks. [N, H, W, imgChannels] → [N, H', W', stemChannels] */
  stem(x: Tensor): Tensor {
    let y = this.bn.forward(this.conv.forward(x));
    if (this.#relu) y = relu(y);
    return this.#pool ? this.#pool.forward(y) : y;
  }
}

function check({ nBlocks, nChannels, bottlenecks, ...sizes }: ResNetOptions): void {
  const fail = (what: string) => new RangeError(`ResNetBase: ${what}`);
  if (nBlocks.length === 0) throw fail("nBlocks is empty; a net has at least one stage.");
  if (nBlocks.length !== nChannels.length) {
    throw fail(
      `nBlocks has ${nBlocks.length} stages, [${nBlocks}], but nChannels has ${nChannels.length}, [${nChannels}].`,
    );
  }
  if (bottlenecks && bottlenecks.length !== nBlocks.length) {
    throw fail(
      `bottlenecks has ${bottlenecks.length} stages, [${bottlenecks}], but nBlocks has ${nBlocks.length}, [${nBlocks}].`,
    );
  }
  const { imgChannels = 3, firstKernelSize = 7, stemChannels = 1, stemStride = 1, groups = 1 } = sizes;
  const lists = { nBlocks, nChannels, ...(bottlenecks && { bottlenecks }) };
  const scalars = { imgChannels, firstKernelSize, stemChannels, stemStride, groups };
  for (const [name, values] of Object.entries({ ...lists, ...scalars })) {
    for (const value of [values].flat() as number[]) {
      if (!Number.isInteger(value) || value < 1) {
        throw fail(`${name} has to be whole numbers ≥ 1, not ${value}, in ${JSON.stringify(values)}.`);
      }
    }
  }
  const odd = bottlenecks?.find((channels) => channels % groups !== 0);
  if (odd !== undefined) throw fail(`${odd} bottleneck channels do not divide into ${groups} groups.`);
}
