/** A tensor's place in a ResNet, in the terms that all namings share. */
export interface Spot {
  readonly part: "stem" | "block" | "shortcut";
  readonly layer: "conv" | "bn";
  /** Stage from 1 and block from 0, of blocks and shortcuts. */
  readonly stage: number;
  readonly block: number;
  /** Number of the convolution, or batch norm, in a block, from 1. */
  readonly index: number;
  /** PyTorch's name: `running_mean`. */
  readonly field: string;
}

/**
 * A library's names for a ResNet's layers, as templates that are read and written.
 *
 * `{stage}` counts from 1, `{block}` from 0, `{index}` from 1, each plus what is added; a letter `{block:a}` counts from a.
 */
interface Templates {
  readonly "stem conv": string;
  readonly "stem bn": string;
  readonly "block conv": string;
  readonly "block bn": string;
  readonly "shortcut conv": string;
  readonly "shortcut bn": string;
}

type TemplateName = keyof Templates;

/** Fields by PyTorch's name for them. */
type Fields = Readonly<Record<Spot["layer"], Readonly<Record<string, string>>>>;

const TORCH_FIELDS: Fields = {
  conv: { weight: "weight", bias: "bias" },
  bn: {
    weight: "weight",
    bias: "bias",
    running_mean: "running_mean",
    running_var: "running_var",
    num_batches_tracked: "num_batches_tracked",
  },
};

const KERAS_FIELDS: Fields = {
  conv: { weight: "kernel", bias: "bias" },
  bn: { weight: "gamma", bias: "beta", running_mean: "moving_mean", running_var: "moving_variance" },
};

/** A library's names for a ResNet's tensors, both ways. */
export interface Naming {
  readonly title: string;
  readonly isKeras: boolean;
  /** A name that every file with this naming has, for messages. */
  readonly example: string;
  /** Place of a tensor in the net, and the prefix of its name; undefined if the naming has no such name. */
  parse(name: string): { readonly prefix: string; readonly spot: Spot } | undefined;
  /** The name of the tensor there; undefined where the library has none. */
  format(spot: Spot): string | undefined;
  /** The name of the head's weight or bias, by that of its layer. */
  headField(layer: string, field: string): string;
  /** The layer whose weight this is, if it may be a head's. */
  headLayer(name: string): string | undefined;
}

const NO_SPOT = { stage: 0, block: 0, index: 0 };

function naming(title: string, templates: Templates, isKeras = false): Naming {
  const fields = isKeras ? KERAS_FIELDS : TORCH_FIELDS;
  const separator = isKeras ? "/" : ".";
  // Blocks before the stem, since `layer1.0.conv1` also ends in `conv1`.
  const layers = Object.keys(templates).sort().reverse().sort(stemLast) as TemplateName[];
  const parsers = layers.map((layer) => {
    const pattern = `^(?<prefix>(?:.*[./])?)${patternOf(templates[layer])}[${separator}](?<field>\\w+)$`;
    return { layer, pattern: new RegExp(pattern) };
  });
  const weight = fields.conv.weight!;
  return {
    title,
    isKeras,
    example: `${templates["stem conv"]}${separator}${weight}`,
    parse(name) {
      for (const { layer, pattern } of parsers) {
        const found = pattern.exec(name)?.groups;
        if (!found) continue;
        const [part, kind] = layer.split(" ") as [Spot["part"], Spot["layer"]];
        const field = Object.entries(fields[kind]).find(([, own]) => own === found.field)?.[0];
        if (!field) continue;
        const numbers = numbersOf(templates[layer], found);
        return { prefix: found.prefix!, spot: { ...NO_SPOT, ...numbers, part, layer: kind, field } };
      }
      return undefined;
    },
    format(spot) {
      const field = fields[spot.layer][spot.field];
      const layer = written(templates[`${spot.part} ${spot.layer}`], spot);
      return field && `${layer}${separator}${field}`;
    },
    headField: (layer, field) => `${layer}${separator}${fields.conv[field] ?? field}`,
    headLayer: (name) =>
      name.endsWith(`${separator}${weight}`) ? name.slice(0, -weight.length - 1) : undefined,
  };
}

const stemLast = (a: string, b: string): number =>
  Number(a.startsWith("stem")) - Number(b.startsWith("stem"));

/** `{stage+1}` or `{block:a}` */
const PLACEHOLDER = /\{(stage|block|index)(?:([+-]\d)|:(a))?\}/g;

const patternOf = (template: string): string =>
  template
    .split(/(\{[^}]*\})/)
    .map((piece) => {
      const [, name, , letter] = new RegExp(PLACEHOLDER.source).exec(piece) ?? [];
      if (!name) return piece.replace(/[.]/g, "\\.");
      return letter ? `(?<${name}>[a-z])` : `(?<${name}>\\d{1,4})`;
    })
    .join("");

function numbersOf(template: string, found: Readonly<Record<string, string>>): Partial<Spot> {
  const numbers = [...template.matchAll(PLACEHOLDER)].map(([, name, added, letter]) => {
    const text = found[name!]!;
    const first = name === "index" ? 1 : 0;
    return [name!, letter ? text.charCodeAt(0) - 97 + first : Number(text) - Number(added ?? 0)] as const;
  });
  return Object.fromEntries(numbers);
}

const written = (template: string, spot: Spot): string =>
  template.replace(PLACEHOLDER, (_, name: "stage" | "block" | "index", added, letter) => {
    const first = name === "index" ? 1 : 0;
    return letter ? String.fromCharCode(97 + spot[name] - first) : String(spot[name] + Number(added ?? 0));
  });

export const TORCHVISION = naming("torchvision", {
  "stem conv": "conv1",
  "stem bn": "bn1",
  "block conv": "layer{stage}.{block}.conv{index}",
  "block bn": "layer{stage}.{block}.bn{index}",
  "shortcut conv": "layer{stage}.{block}.downsample.0",
  "shortcut bn": "layer{stage}.{block}.downsample.1",
});

/** Namings of published files, the likelier first. */
export const NAMINGS: readonly Naming[] = [
  TORCHVISION,
  naming("CIFAR nets", {
    "stem conv": "conv1",
    "stem bn": "bn1",
    "block conv": "layer{stage}.{block}.conv{index}",
    "block bn": "layer{stage}.{block}.bn{index}",
    "shortcut conv": "layer{stage}.{block}.shortcut.0",
    "shortcut bn": "layer{stage}.{block}.shortcut.1",
  }),
  naming("Hugging Face", {
    "stem conv": "embedder.embedder.convolution",
    "stem bn": "embedder.embedder.normalization",
    "block conv": "encoder.stages.{stage-1}.layers.{block}.layer.{index-1}.convolution",
    "block bn": "encoder.stages.{stage-1}.layers.{block}.layer.{index-1}.normalization",
    "shortcut conv": "encoder.stages.{stage-1}.layers.{block}.shortcut.convolution",
    "shortcut bn": "encoder.stages.{stage-1}.layers.{block}.shortcut.normalization",
  }),
  // Names that Keras took from Caffe.
  naming(
    "Keras, from Caffe",
    {
      "stem conv": "conv1",
      "stem bn": "bn_conv1",
      "block conv": "res{stage+1}{block:a}_branch2{index:a}",
      "block bn": "bn{stage+1}{block:a}_branch2{index:a}",
      "shortcut conv": "res{stage+1}{block:a}_branch1",
      "shortcut bn": "bn{stage+1}{block:a}_branch1",
    },
    true,
  ),
  // Names of Keras since 2019.
  naming(
    "Keras",
    {
      "stem conv": "conv1_conv",
      "stem bn": "conv1_bn",
      "block conv": "conv{stage+1}_block{block+1}_{index}_conv",
      "block bn": "conv{stage+1}_block{block+1}_{index}_bn",
      "shortcut conv": "conv{stage+1}_block{block+1}_0_conv",
      "shortcut bn": "conv{stage+1}_block{block+1}_0_bn",
    },
    true,
  ),
];
