import { add, checkChoice, checkOptions, relu, stridedPad, type Tensor } from "@shadegrad/tensor";
import { BatchNorm2d, Conv2d, Identity, type Layer } from "@shadegrad/tensor/nn";

/**
 * Kind of a shortcut whose input and output differ in shape.
 *
 * `projection` learns a 1×1 convolution (option B of the paper, section 3.3). The paper's option A has no
 * parameters: every second pixel, and zeros for the channels that are missing, in equal parts
 * before and after the others (`pad-both`) or all after them (`pad-end`).
 *
 * `none` leaves out every shortcut, the identities too: the plain net that the paper compares with (section 4.1).
 */
export type Shortcut = (typeof SHORTCUTS)[number];

const SHORTCUTS = ["projection", "pad-both", "pad-end", "none"] as const;

export interface BlockOptions {
  /** True if convolutions have a bias. Batch norm subtracts it again, so most published nets have none. */
  bias?: boolean;
  shortcut?: Shortcut;
  /** Start the last batch norm's gamma at 0: the block begins as the identity (Goyal et al. 2017, section 5.1). */
  zeroInitResidual?: boolean;
}

export interface BottleneckOptions extends BlockOptions {
  /** Parts that the 3×3 convolution's channels are divided into: ResNeXt's cardinality (Xie et al. 2017). */
  groups?: number;
  /**
   * The convolution that carries the stride: 1, the first 1×1, as in the paper (v1); or 2, the 3×3,
   * which looks at every pixel before dropping any (v1.5, torchvision's).
   */
  strideAt?: 1 | 2;
}

const BLOCK_OPTIONS: readonly (keyof BlockOptions)[] = ["bias", "shortcut", "zeroInitResidual"];

/** Names of the options that a ResNet hands to its blocks. */
export const BOTTLENECK_OPTIONS: readonly (keyof BottleneckOptions)[] = [
  ...BLOCK_OPTIONS,
  "groups",
  "strideAt",
];

/**
 * W_s x: the shortcut, where the block changes the shape of its input (He et al. 2015, equation 2).
 *
 * A 1×1 convolution, with the block's own stride so that the two branches can be added; batch norm.
 *
 * ```text
 * x ─ conv 1×1, stride ─ bn ─ W_s x
 * ```
 */
export class ShortcutProjection implements Layer {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(inChannels: number, outChannels: number, stride: number, options: BlockOptions = {}) {
    checkArguments("ShortcutProjection", { inChannels, outChannels, stride }, options, BLOCK_OPTIONS);
    const { bias = true } = options;
    this.conv = new Conv2d(inChannels, outChannels, 1, { stride, bias });
    this.bn = new BatchNorm2d(outChannels);
  }

  /** [N, H, W, inChannels] → [N, ⌈H / stride⌉, ⌈W / stride⌉, outChannels] */
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x));
  }
}

/**
 * The shortcut without parameters: every `stride`-th pixel, and zeros for new channels (the paper's
 * option A, section 4.2). CIFAR's ResNets use it, so that a residual net has no parameter that its plain
 * counterpart lacks.
 *
 * ```text
 * x ─ every stride-th pixel ─ [zeros | pixels | zeros] along the channels
 * ```
 */
export class ShortcutPadding implements Layer {
  readonly stride: number;
  /** Channels of zeros before the others. */
  readonly before: number;
  /** Channels of zeros after the others. */
  readonly after: number;

  /** @throws RangeError if the block narrows: there is no channel to leave out without a choice. */
  constructor(inChannels: number, outChannels: number, stride: number, where: "pad-both" | "pad-end") {
    checkArguments("ShortcutPadding", { inChannels, outChannels, stride });
    checkChoice("ShortcutPadding", "where", where, ["pad-both", "pad-end"]);
    const missing = outChannels - inChannels;
    if (missing < 0) {
      throw new RangeError(
        `ShortcutPadding: ${inChannels} channels cannot be padded to ${outChannels}; use the projection shortcut.`,
      );
    }
    this.stride = stride;
    this.before = where === "pad-both" ? Math.floor(missing / 2) : 0;
    this.after = missing - this.before;
  }

  /** [N, H, W, inChannels] → [N, ⌈H / stride⌉, ⌈W / stride⌉, outChannels] */
  forward(x: Tensor): Tensor {
    const { stride, before, after } = this;
    const around = [
      [0, 0],
      [0, 0],
      [0, 0],
      [before, after],
    ] as const;
    return stridedPad(x, [1, stride, stride, 1], around);
  }
}

/**
 * relu(F(x) + shortcut(x)), where F is two 3×3 convolutions with batch norm; the first one carries
 * the stride (He et al. 2015, figure 2 and section 3.3).
 *
 * ```text
 * x ─┬─ conv1 3×3 ─ bn1 ─ relu ─ conv2 3×3 ─ bn2 ─┐
 *    │                                            + ─ relu ─ y
 *    └────────────────── shortcut ────────────────┘
 * ```
 *
 * A stack of layers that is to do nothing must learn the identity, and plain deep nets fail at that:
 * beyond some depth their training error rises (the degradation problem, section 1). Here doing nothing
 * is F = 0, which is easy: weights shrink to it. What the layers learn is the difference, the residual.
 */
export class ResidualBlock implements Layer {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly shortcut: Layer | undefined;

  constructor(inChannels: number, outChannels: number, stride: number, options: BlockOptions = {}) {
    checkArguments("ResidualBlock", { inChannels, outChannels, stride }, options, BLOCK_OPTIONS);
    const { bias = true } = options;
    this.conv1 = new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias });
    this.bn1 = new BatchNorm2d(outChannels);
    this.conv2 = new Conv2d(outChannels, outChannels, 3, { padding: 1, bias });
    this.bn2 = lastNorm(outChannels, options);
    this.shortcut = shortcut(inChannels, outChannels, stride, options);
  }

  /** [N, H, W, inChannels] → [N, ⌈H / stride⌉, ⌈W / stride⌉, outChannels] */
  forward(x: Tensor): Tensor {
    let y = relu(this.bn1.forward(this.conv1.forward(x)));
    y = this.bn2.forward(this.conv2.forward(y));
    return relu(this.shortcut ? add(y, this.shortcut.forward(x)) : y);
  }
}

/**
 * relu(F(x) + shortcut(x)), where F squeezes the channels, convolves, and restores them: 1×1, 3×3,
 * 1×1, each with batch norm (He et al. 2015, figure 5).
 *
 * ```text
 * x ─┬─ conv1 1×1 ─ bn1 ─ relu ─ conv2 3×3 ─ bn2 ─ relu ─ conv3 1×1 ─ bn3 ─┐
 *    │    256 → 64                 64 → 64                  64 → 256       + ─ relu ─ y
 *    └────────────────────────────── shortcut ─────────────────────────────┘
 * ```
 *
 * A 3×3 convolution costs 9 · C² multiply-adds a pixel, a 1×1 only C². Between 256 channels at both
 * ends the 3×3 sees 64: three layers for less than one plain 3×3 layer costs, so that a net can be
 * three times as deep for the same time.
 */
export class BottleneckResidualBlock implements Layer {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly shortcut: Layer | undefined;

  constructor(
    inChannels: number,
    bottleneckChannels: number,
    outChannels: number,
    stride: number,
    options: BottleneckOptions = {},
  ) {
    checkArguments(
      "BottleneckResidualBlock",
      { inChannels, bottleneckChannels, outChannels, stride },
      options,
      BOTTLENECK_OPTIONS,
    );
    const { bias = true, groups = 1, strideAt = 2 } = options;
    checkChoice("ResNet", "strideAt", strideAt, [1, 2]);
    const [first, second] = strideAt === 1 ? [stride, 1] : [1, stride];
    this.conv1 = new Conv2d(inChannels, bottleneckChannels, 1, { stride: first, bias });
    this.bn1 = new BatchNorm2d(bottleneckChannels);
    this.conv2 = new Conv2d(bottleneckChannels, bottleneckChannels, 3, {
      stride: second,
      padding: 1,
      groups,
      bias,
    });
    this.bn2 = new BatchNorm2d(bottleneckChannels);
    this.conv3 = new Conv2d(bottleneckChannels, outChannels, 1, { bias });
    this.bn3 = lastNorm(outChannels, options);
    this.shortcut = shortcut(inChannels, outChannels, stride, options);
  }

  /** [N, H, W, inChannels] → [N, ⌈H / stride⌉, ⌈W / stride⌉, outChannels] */
  forward(x: Tensor): Tensor {
    let y = relu(this.bn1.forward(this.conv1.forward(x)));
    y = relu(this.bn2.forward(this.conv2.forward(y)));
    y = this.bn3.forward(this.conv3.forward(y));
    return relu(this.shortcut ? add(y, this.shortcut.forward(x)) : y);
  }
}

function shortcut(
  inChannels: number,
  outChannels: number,
  stride: number,
  { shortcut: kind = "projection", bias = true }: BlockOptions,
): Layer | undefined {
  checkChoice("ResNet", "shortcut", kind, SHORTCUTS);
  if (kind === "none") return undefined;
  if (stride === 1 && inChannels === outChannels) return new Identity();
  if (kind === "projection") return new ShortcutProjection(inChannels, outChannels, stride, { bias });
  return new ShortcutPadding(inChannels, outChannels, stride, kind);
}

const lastNorm = (channels: number, { zeroInitResidual = false }: BlockOptions): BatchNorm2d =>
  zeroInitResidual ? new BatchNorm2d(channels, { initialGamma: 0 }) : new BatchNorm2d(channels);

/** @throws TypeError at an option that is not known; RangeError unless each width is a whole number ≥ 1. */
function checkArguments(
  name: string,
  widths: Readonly<Record<string, number>>,
  options: object = {},
  known: readonly string[] = [],
): void {
  checkOptions(name, options, known);
  for (const [what, value] of Object.entries(widths)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${name}: ${what} has to be a whole number ≥ 1, not ${value}.`);
    }
  }
}
