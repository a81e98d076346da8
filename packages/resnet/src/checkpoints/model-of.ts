import type { ResNetOptions } from "../base.ts";
import type { Shortcut } from "../blocks.ts";
import type { Preprocessing } from "../preprocessing.ts";
import type { zoo } from "../zoo.ts";
import { findNet } from "./find-net.ts";
import type { CheckpointInfo } from "./open.ts";

/** The net that a checkpoint belongs to: `new ResNet(options)` takes its weights. */
export interface Architecture {
  /** Name in the zoo, if it has one; biases, classes and strides may differ from what the zoo builds. */
  readonly name: keyof typeof zoo | undefined;
  readonly options: ResNetOptions & { classes: number };
  /** True if the file has a head. If not, `options.classes` is the usual number, and `loadCheckpoint` needs `head: false`. */
  readonly hasHead: boolean;
  /** True if the kind of its shortcuts follows from weights or a note; false if it is assumed. */
  readonly hasKnownShortcut: boolean;
  /** Known for the usual ImageNet weights, and where `saveCheckpoint` noted it. */
  readonly preprocessing: Preprocessing | undefined;
}

const IMAGE_NET: Preprocessing = {
  channels: "rgb",
  range: 1,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** Preprocessing of Caffe's nets, and so of Keras' ResNets. */
const CAFFE: Preprocessing = {
  channels: "bgr",
  range: 255,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** Nets of the zoo by blocks, first width, bottleneck's width and groups. */
const NAMES: Readonly<Record<string, keyof typeof zoo>> = {
  "2,2,2,2 64": "resnet18",
  "3,4,6,3 64": "resnet34",
  "3,4,6,3 256 64 1": "resnet50",
  "3,4,23,3 256 64 1": "resnet101",
  "3,8,36,3 256 64 1": "resnet152",
  "3,4,6,3 256 128 1": "wideResnet50",
  "3,4,6,3 256 128 32": "resnext50",
  "1,1,1 16": "resnet8",
  "3,3,3 16": "resnet20",
  "5,5,5 16": "resnet32",
  "7,7,7 16": "resnet44",
  "9,9,9 16": "resnet56",
  "18,18,18 16": "resnet110",
};

/**
 * Find the ResNet of a checkpoint by its names and shapes. → undefined if they are those of another net
 *
 * Options that they leave open are those that `saveCheckpoint` noted, or the usual ones: a 7×7 stem strides and pools, a 3×3
 * stem does not; Keras' bottlenecks stride at the first convolution, others at the second; shortcuts without weights
 * pad on both sides.
 */
export function modelOf({ tensors, layout, metadata }: CheckpointInfo): Architecture | undefined {
  const net = findNet(tensors, layout);
  if (!net) return undefined;
  const shapes = new Map<string, readonly number[]>();
  for (const [name, called] of net.names) {
    const { shape } = tensors.get(called)!;
    shapes.set(name, layout === "torch" ? shape : torchShape(shape));
  }
  const { isKeras } = net.naming;
  const [stemChannels, imgChannels, firstKernelSize] = shapes.get("conv1.weight") ?? [];
  const [classes] = shapes.get("fc.weight") ?? [];
  const stages = stagesOf(shapes);
  if (!stemChannels || !imgChannels || !firstKernelSize || stages.length === 0) return undefined;
  const isBottleneck = shapes.has("layer1.0.conv3.weight");
  const nBlocks = stages.map(({ blocks }) => blocks);
  const nChannels = stages.map(({ channels }) => channels);
  const bottlenecks = stages.map(({ inside }) => inside);
  const groups = isBottleneck ? bottlenecks[0]! / (shapes.get("layer1.0.conv2.weight")?.[1] || 1) : 1;
  if (!Number.isInteger(groups)) return undefined;
  const isImageNet = firstKernelSize >= 7;
  const notes = noted(metadata.get("resnet"));
  const hasProjection = [...shapes.keys()].some((name) => name.includes(".downsample."));
  const options = {
    nBlocks,
    nChannels,
    ...(isBottleneck && { bottlenecks, groups, strideAt: isKeras ? (1 as const) : (2 as const) }),
    imgChannels,
    firstKernelSize,
    stemChannels,
    stemStride: isImageNet ? 2 : 1,
    stemRelu: true,
    stemPool: isImageNet,
    bias: shapes.has("layer1.0.conv1.bias"),
    shortcut: hasProjection ? ("projection" as const) : ("pad-both" as const),
    classes: classes || (isImageNet ? 1000 : 10),
    ...notes,
  };
  if (!isWorthItsFile(options, shapes)) return undefined;
  const name = NAMES[`${nBlocks} ${nChannels[0]}${isBottleneck ? ` ${bottlenecks[0]} ${groups}` : ""}`];
  const isUsual = isImageNet && classes === 1000 && imgChannels === 3;
  const usual = isUsual ? (isKeras ? CAFFE : IMAGE_NET) : undefined;
  const hasKnownShortcut = hasProjection || notes.shortcut !== undefined;
  const preprocessing = notedPreprocessing(metadata.get("preprocessing")) ?? usual;
  return { name, options, hasHead: Boolean(classes), hasKnownShortcut, preprocessing };
}

interface Stage {
  readonly blocks: number;
  readonly channels: number;
  /** Output channels of the first convolution of a block. */
  readonly inside: number;
}

function stagesOf(shapes: ReadonlyMap<string, readonly number[]>): Stage[] {
  const stages: Stage[] = [];
  const outOf = (name: string) => shapes.get(name)?.[0];
  for (let stage = 1; ; stage++) {
    const first = `layer${stage}.0`;
    const inside = outOf(`${first}.conv1.weight`);
    const channels = outOf(`${first}.conv3.weight`) ?? outOf(`${first}.conv2.weight`);
    if (!inside || !channels) return stages;
    let blocks = 1;
    while (shapes.has(`layer${stage}.${blocks}.conv1.weight`)) blocks++;
    stages.push({ blocks, channels, inside });
  }
}

/** Deeper nets are not read: the deepest that was ever published has 1202 layers, in 600 blocks. */
const MAX_BLOCKS = 1024;

/**
 * True if the net has about as many numbers as its file, so that building it costs no more.
 *
 * Empty tensors would let a small file ask for any net.
 */
function isWorthItsFile(
  options: ResNetOptions & { classes: number },
  shapes: ReadonlyMap<string, readonly number[]>,
): boolean {
  const blocks = options.nBlocks.reduce((sum, count) => sum + count, 0);
  if (blocks > MAX_BLOCKS) return false;
  const stored = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const head = shapes.has("fc.weight") ? options.classes * options.nChannels.at(-1)! : 0;
  return weightsBelowHead(options) + head <= 2 * stored;
}

/** Numbers in the convolutions of a net. */
function weightsBelowHead({
  nBlocks,
  nChannels,
  bottlenecks,
  groups = 1,
  imgChannels = 3,
  firstKernelSize = 7,
  stemChannels = nChannels[0]!,
}: ResNetOptions): number {
  let sum = stemChannels * imgChannels * firstKernelSize ** 2;
  let channels = stemChannels;
  for (const [stage, out] of nChannels.entries()) {
    const inside = bottlenecks?.[stage];
    for (let block = 0; block < nBlocks[stage]!; block++) {
      sum += inside
        ? channels * inside + (9 * inside ** 2) / groups + inside * out
        : 9 * (channels * out + out ** 2);
      channels = out;
    }
  }
  return sum;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((size, side) => size * side, 1);

/** `[R, S, C, O]` → `[O, C, R, S]`, `[in, out]` → `[out, in]` */
function torchShape(shape: readonly number[]): readonly number[] {
  if (shape.length === 4) return [shape[3]!, shape[2]!, shape[0]!, shape[1]!];
  return shape.length === 2 ? [shape[1]!, shape[0]!] : shape;
}

const SHORTCUTS: readonly Shortcut[] = ["projection", "pad-both", "pad-end", "none"];

/** Options in a file's metadata that do not follow from shapes. */
function noted(json: string | undefined): Partial<ResNetOptions> {
  const { shortcut, strideAt, stemStride, stemRelu, stemPool } = parse(json);
  return {
    ...(SHORTCUTS.some((kind) => kind === shortcut) && { shortcut: shortcut as Shortcut }),
    ...((strideAt === 1 || strideAt === 2) && { strideAt }),
    ...(Number.isSafeInteger(stemStride) &&
      (stemStride as number) > 0 && { stemStride: stemStride as number }),
    ...(typeof stemRelu === "boolean" && { stemRelu }),
    ...(typeof stemPool === "boolean" && { stemPool }),
  };
}

export function notedPreprocessing(json: string | undefined): Preprocessing | undefined {
  const { channels, range, mean, std } = parse(json);
  if (channels !== "rgb" && channels !== "bgr" && channels !== "grey") return undefined;
  const fits = (value: unknown): value is number[] =>
    Array.isArray(value) && value.length === (channels === "grey" ? 1 : 3) && value.every(Number.isFinite);
  if ((range !== 1 && range !== 255) || !fits(mean) || !fits(std)) return undefined;
  return { channels, range, mean, std };
}

/** The fields of a JSON object; of anything else, none. */
function parse(json: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(json ?? "null"));
  } catch {
    return {};
  }
}
