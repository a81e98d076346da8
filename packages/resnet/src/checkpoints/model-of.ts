import type { ResNetOptions } from "../base.ts";
import type { Shortcut } from "../blocks.ts";
import type { zoo } from "../zoo.ts";
import type { CheckpointInfo } from "./open.ts";

/** How pixels become what a net takes: (pixel · range / 255 − mean) / std, channel by channel in the order given. */
export interface Preprocessing {
  readonly channels: "rgb" | "bgr";
  readonly range: 1 | 255;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** What net a checkpoint belongs to: `new ResNet(options)` takes its weights. */
export interface Architecture {
  /** Its name in the zoo, if it has one; biases, classes and strides may differ from what the zoo builds. */
  readonly name: keyof typeof zoo | undefined;
  readonly options: ResNetOptions & { classes: number };
  /** Whether the kind of its shortcuts is told, by weights or by a note, and not what is usual. */
  readonly shortcutIsTold: boolean;
  /** Known for the usual ImageNet weights, and where `saveCheckpoint` noted it. */
  readonly preprocessing: Preprocessing | undefined;
}

const IMAGE_NET: Preprocessing = {
  channels: "rgb",
  range: 1,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** What Caffe's nets were trained on, and so Keras' ResNets. */
const CAFFE: Preprocessing = {
  channels: "bgr",
  range: 255,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** Blocks, first width, bottleneck's width and groups: what tells the nets of the zoo apart. */
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
 * The ResNet that a checkpoint's names and shapes tell, or undefined if they tell none.
 *
 * What they leave open is taken from what `saveCheckpoint` noted, or is as usual: a 7×7 stem strides and pools, a 3×3
 * stem does not; Keras' bottlenecks stride at the first convolution, others at the second; shortcuts without weights
 * pad on both sides.
 */
export function modelOf({ tensors, layout, metadata }: CheckpointInfo): Architecture | undefined {
  const shapes = new Map<string, readonly number[]>();
  let isKeras = false;
  for (const [name, { shape }] of tensors) {
    const fromKeras = kerasName(name);
    isKeras ||= fromKeras !== undefined;
    const torch = fromKeras ?? name.replace(/^linear\./, "fc.").replace(".shortcut.", ".downsample.");
    shapes.set(torch, layout === "torch" ? shape : torchShape(shape));
  }
  const [stemChannels, imgChannels, firstKernelSize] = shapes.get("conv1.weight") ?? [];
  const [classes] = shapes.get("fc.weight") ?? [];
  const stages = stagesOf(shapes);
  if (!stemChannels || !imgChannels || !firstKernelSize || !classes || stages.length === 0) return undefined;

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
    classes,
    ...notes,
  };
  const name = NAMES[`${nBlocks} ${nChannels[0]}${isBottleneck ? ` ${bottlenecks[0]} ${groups}` : ""}`];
  const isUsual = isImageNet && classes === 1000 && imgChannels === 3;
  const usual = isUsual ? (isKeras ? CAFFE : IMAGE_NET) : undefined;
  const shortcutIsTold = hasProjection || notes.shortcut !== undefined;
  const preprocessing = notedPreprocessing(metadata.get("preprocessing")) ?? usual;
  return { name, options, shortcutIsTold, preprocessing };
}

function stagesOf(shapes: ReadonlyMap<string, readonly number[]>) {
  const stages: { blocks: number; channels: number; inside: number }[] = [];
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

/** PyTorch's name for a convolution or the head of one of Keras' ResNets. */
function kerasName(name: string): string | undefined {
  const [, layer = "", field] = /^(.*)\/(kernel|bias)$/.exec(name) ?? [];
  if (!field) return undefined;
  const to = (torch: string) => `${torch}.${field === "kernel" ? "weight" : "bias"}`;
  if (/^conv1(_conv)?$/.test(layer)) return to("conv1");
  if (/^(fc\d+|predictions|probs)$/.test(layer)) return to("fc");
  const [, stage, letter, branch] = /^res(\d)([a-z])_branch(1|2[abc])$/.exec(layer) ?? [];
  if (stage && letter && branch) {
    const inside = branch === "1" ? "downsample.0" : `conv${"abc".indexOf(branch[1]!) + 1}`;
    return to(`layer${Number(stage) - 1}.${letter.charCodeAt(0) - 97}.${inside}`);
  }
  const [, at, block, index] = /^conv(\d)_block(\d+)_(\d)_conv$/.exec(layer) ?? [];
  if (!at) return undefined;
  return to(`layer${Number(at) - 1}.${Number(block) - 1}.${index === "0" ? "downsample.0" : `conv${index}`}`);
}

/** `[R, S, C, O]` → `[O, C, R, S]`, `[in, out]` → `[out, in]` */
function torchShape(shape: readonly number[]): readonly number[] {
  if (shape.length === 4) return [shape[3]!, shape[2]!, shape[0]!, shape[1]!];
  return shape.length === 2 ? [shape[1]!, shape[0]!] : shape;
}

const SHORTCUTS: readonly Shortcut[] = ["projection", "pad-both", "pad-end", "none"];

/** Of the options in a file's metadata, those that shapes do not tell. */
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

function notedPreprocessing(json: string | undefined): Preprocessing | undefined {
  const { channels, range, mean, std } = parse(json);
  const isTriple = (value: unknown): value is [number, number, number] =>
    Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
  if (channels !== "rgb" && channels !== "bgr") return undefined;
  if ((range !== 1 && range !== 255) || !isTriple(mean) || !isTriple(std)) return undefined;
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
