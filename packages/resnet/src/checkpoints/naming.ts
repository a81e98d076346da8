import { torchvisionName } from "../names.ts";
import type { ResNet } from "../zoo.ts";

type Net = Pick<ResNet, "options">;

/** What files call a net's tensors; undefined where they have none. */
export type Naming = (name: string, net: Net) => string | undefined;

const torchvision: Naming = (name, { options }) => torchvisionName(name, options);

/** CIFAR's nets, published: torchvision's names but for the head, and most have `shortcut` for `downsample`. */
const linearHead: Naming = (name, net) => torchvision(name, net)?.replace(/^fc\./, "linear.");
const linearHeadShortcut: Naming = (name, net) =>
  linearHead(name, net)?.replace(".downsample.", ".shortcut.");

const KERAS_FIELDS: Readonly<Record<string, string>> = {
  "conv weight": "kernel",
  "conv bias": "bias",
  "bn weight": "gamma",
  "bn bias": "beta",
  "bn running_mean": "moving_mean",
  "bn running_var": "moving_variance",
};

/** A layer, as Keras counts: the stem, a convolution or batch norm of a block, or the head. */
interface KerasLayer {
  readonly kind: "conv" | "bn";
  /** From 2, as the paper counts stages; 1 is the stem. */
  readonly stage: number;
  readonly block: number;
  /** From 1; 0 is the shortcut. */
  readonly index: number;
}

const keras =
  (layerName: (layer: KerasLayer) => string, head: (classes: number) => string): Naming =>
  (name, net) => {
    const [, layer, field] = /^(.*)\.(\w+)$/.exec(torchvision(name, net)!)!;
    if (layer === "fc") return `${head(net.options.classes)}/${KERAS_FIELDS[`conv ${field}`]}`;
    const [, stage, block, inside] = /^(?:layer(\d+)\.(\d+)\.)?(.*)$/.exec(layer!)!;
    const numbered = /^(conv|bn)(\d)$/.exec(inside!);
    const kind = numbered?.[1] ?? (inside === "downsample.0" ? "conv" : "bn");
    const index = Number(numbered?.[2] ?? 0);
    const called = KERAS_FIELDS[`${kind} ${field}`];
    if (!called) return undefined;
    const at = { stage: Number(stage ?? 0) + 1, block: Number(block ?? 0), index };
    return `${layerName({ kind: kind as "conv" | "bn", ...at })}/${called}`;
  };

/** `res3a_branch2b`, as Keras took them from Caffe. */
const caffe = keras(
  ({ kind, stage, block, index }) => {
    if (stage === 1) return kind === "conv" ? "conv1" : "bn_conv1";
    const branch = index === 0 ? "branch1" : `branch2${"abc"[index - 1]}`;
    return `${kind === "conv" ? "res" : "bn"}${stage}${String.fromCharCode(97 + block)}_${branch}`;
  },
  (classes) => `fc${classes}`,
);

/** `conv3_block1_2_conv`, as Keras has them since 2019. */
const kerasBlocks = keras(
  ({ kind, stage, block, index }) =>
    stage === 1 ? `conv1_${kind}` : `conv${stage}_block${block + 1}_${index}_${kind}`,
  () => "predictions",
);

/** Ways of naming, the likelier first. */
export const NAMINGS = {
  torchvision,
  "this package's": (name: string) => name,
  CIFAR: linearHead,
  "CIFAR with shortcuts": linearHeadShortcut,
  "Keras from Caffe": caffe,
  Keras: kerasBlocks,
} satisfies Readonly<Record<string, Naming>>;

/** The naming under which the file has most of the net's tensors. */
export function namingOf(names: readonly string[], net: Net, file: ReadonlyMap<string, unknown>): Naming {
  const found = (naming: Naming) => names.filter((name) => file.has(naming(name, net) ?? "")).length;
  const namings: readonly Naming[] = Object.values(NAMINGS);
  return namings.reduce((best, naming) => (found(naming) > found(best) ? naming : best));
}
