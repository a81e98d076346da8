import { checkOptions, gelu, mul, reshape, type Tensor } from "@shadegrad/tensor";
import { BatchNorm2d, Conv2d, init, type Layer, Linear, MaxPool2d } from "@shadegrad/tensor/nn";

export interface FastNetOptions {
  /** Channels of the three groups. */
  widths?: readonly [number, number, number];
  classes?: number;
}

/** The last two are fixed: they are there so that a net's own options build another. */
const OPTIONS: readonly (keyof FastNet["options"])[] = [
  "widths",
  "classes",
  "imgChannels",
  "firstKernelSize",
];

/**
 * A net for CIFAR-10 that reaches 94 % of the test images within seconds on a GPU: airbench94 (Jordan 2024, "94 % on CIFAR-10
 * in 3.29 seconds on a single GPU", section 3.1), after Page's ResNet-9 (2018).
 *
 * ```
 * image 32² ─ 2×2 whitening ─ GELU ─ group 64 ─ group 256 ─ group 256 ─ max 3×3 ─ linear / 9 ─ scores
 *                             group:  3×3 ─ max 2×2 ─ BN ─ GELU ─ 3×3 ─ BN ─ GELU
 * ```
 *
 * The first convolution is fixed by the data (see {@link whiten}) and only its bias is learned; the others begin as the
 * identity. Batch norm has no gamma.
 */
export class FastNet implements Layer {
  readonly whitening: Conv2d;
  readonly groups: readonly ConvGroup[];
  readonly fc: Linear;
  /** The arguments that built it, and what it takes: images of three channels by a first window of 2×2. */
  readonly options: Readonly<Required<FastNetOptions>> & {
    readonly imgChannels: 3;
    readonly firstKernelSize: 2;
  };
  readonly #pool = new MaxPool2d(3);

  constructor(options: FastNetOptions = {}) {
    checkOptions("FastNet", options, OPTIONS);
    const { widths = [64, 256, 256], classes = 10 } = options;
    this.options = { widths, classes, imgChannels: 3, firstKernelSize: 2 };
    this.whitening = new Conv2d(3, 2 * PATCH, 2);
    this.whitening.weight.requiresGrad = false;
    let channels = 2 * PATCH;
    this.groups = widths.map((width) => {
      const group = new ConvGroup(channels, width);
      channels = width;
      return group;
    });
    this.fc = new Linear(channels, classes, { bias: false });
  }

  /** [N, 32, 32, 3] → [N, classes] */
  forward(x: Tensor): Tensor {
    let y = gelu(this.whitening.forward(x));
    for (const group of this.groups) y = group.forward(y);
    y = this.#pool.forward(y);
    return mul(this.fc.forward(reshape(y, [y.shape[0]!, this.fc.weight.shape[0]!])), 1 / 9);
  }
}

/** Numbers in a 2×2 patch of three colours: there are as many directions to whiten. */
export const PATCH = 2 * 2 * 3;

/** Two 3×3 convolutions, the image halved after the first. [N, H, W, inChannels] → [N, ⌊H / 2⌋, ⌊W / 2⌋, outChannels] */
export class ConvGroup implements Layer {
  readonly conv1: Conv2d;
  readonly norm1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly #pool = new MaxPool2d(2);

  constructor(inChannels: number, outChannels: number) {
    this.conv1 = convolution(inChannels, outChannels);
    this.norm1 = norm(outChannels);
    this.conv2 = convolution(outChannels, outChannels);
    this.norm2 = norm(outChannels);
  }

  forward(x: Tensor): Tensor {
    const y = gelu(this.norm1.forward(this.#pool.forward(this.conv1.forward(x))));
    return gelu(this.norm2.forward(this.conv2.forward(y)));
  }
}

function convolution(inChannels: number, outChannels: number): Conv2d {
  const layer = new Conv2d(inChannels, outChannels, 3, { padding: 1, bias: false });
  init.dirac(layer.weight);
  return layer;
}

const norm = (channels: number): BatchNorm2d =>
  new BatchNorm2d(channels, { momentum: 0.4, eps: 1e-12, learnGamma: false });

/** The net that `saveCheckpoint` noted in a file's metadata; undefined if it was no {@link FastNet}. */
export function fastNetOf(metadata: ReadonlyMap<string, string>): Required<FastNetOptions> | undefined {
  try {
    const { widths, classes } = JSON.parse(metadata.get(FASTNET_KEY) ?? "null") ?? {};
    const isCount = (value: unknown) =>
      Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 4096;
    const fits = Array.isArray(widths) && widths.length === 3 && [...widths, classes].every(isCount);
    return fits ? { widths: widths as unknown as [number, number, number], classes } : undefined;
  } catch {
    return undefined;
  }
}

/** Key of a {@link FastNet}'s options in a file's metadata. */
export const FASTNET_KEY = "fastnet";
