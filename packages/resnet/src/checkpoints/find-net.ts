import { quote } from "./checkpoint-file.ts";
import { NAMINGS, type Naming, type Spot, TORCHVISION } from "./naming.ts";

interface Shaped {
  readonly shape: readonly number[];
}

/** The tensors of a file that make up one ResNet. */
export interface FoundNet {
  readonly naming: Naming;
  /** Prefix of all names but those of a head elsewhere: `model.` */
  readonly prefix: string;
  /** Names in the file by torchvision's: `layer1.0.bn1.weight`, and `fc.weight` if there is a head. */
  readonly names: ReadonlyMap<string, string>;
  /** The head's layer, as the file names it. */
  readonly head: string | undefined;
  /** Names among the net's that are none of a ResNet's. */
  readonly others: readonly string[];
}

/** More tensors, or longer names, than any ResNet has. */
const MAX_TENSORS = 20_000;
const MAX_NAME = 300;

/** Names of a net's head, the likelier first; other layers count only if there is none of these. */
const HEADS = /(^|[./])(fc|linear|head|classifier|predictions|probs|fc\d+|last_linear|output)(\.(fc|\d))?$/;

/**
 * The ResNet in a file: under any prefix that wrappers and training frameworks put before its names, under any naming.
 *
 * Of several nets, as where a copy with averaged weights lies beside, the one with the most tensors, then the first.
 */
export function findNet(
  tensors: ReadonlyMap<string, Shaped>,
  layout: "torch" | "engine",
): FoundNet | undefined {
  if (tensors.size > MAX_TENSORS) return undefined;
  const nets = NAMINGS.flatMap((naming) => netsOf(naming, tensors));
  const [first, ...rest] = nets;
  if (!first) return undefined;
  const size = ({ names, prefix }: Candidate) => names.size - (isAverage(prefix) ? 0.5 : 0);
  const net = rest.reduce((best, other) => (size(other) > size(best) ? other : best), first);
  const elsewhere = nets.filter(({ prefix }) => prefix !== net.prefix && prefix.startsWith(net.prefix));
  const own = [...tensors.keys()].filter(
    (name) => name.startsWith(net.prefix) && !elsewhere.some(({ prefix }) => name.startsWith(prefix)),
  );
  const head = headOf(net, tensors, own, layout);
  const names = new Map(net.names);
  for (const field of head === undefined ? [] : ["weight", "bias"]) {
    const name = net.naming.headField(head!, field);
    if (tensors.has(name)) names.set(`fc.${field}`, name);
  }
  const known = new Set(names.values());
  return { ...net, names, head, others: own.filter((name) => !known.has(name)) };
}

/** The name of one of the net's tensors in its file, by torchvision's name for it. */
export function fileName({ naming, prefix, names, head }: FoundNet, torchName: string): string | undefined {
  const found = names.get(torchName);
  if (found !== undefined) return found;
  const [, field] = /^fc\.(\w+)$/.exec(torchName) ?? [];
  if (field) return naming.headField(head ?? `${prefix}fc`, field);
  const { spot } = TORCHVISION.parse(torchName)!;
  const name = naming.format(spot);
  return name === undefined ? undefined : prefix + name;
}

/** Names in a file and names that were expected, for a message. */
export function namesFoundAndSought(tensors: ReadonlyMap<string, unknown>): string {
  const some = [...tensors.keys()].slice(0, 6).map(quote).join(", ");
  const sought = NAMINGS.map(({ title, example }) => `${example} (${title})`);
  return `It has ${tensors.size} tensors${some && `, ${some}${tensors.size > 6 ? ", …" : ""}`}. Looked for ${sought.join(", ")}, under any prefix.`;
}

type Candidate = Pick<FoundNet, "naming" | "prefix" | "names">;

/** Tensors by which a ResNet is recognised, and the least number of its tensors under one prefix. */
const ANCHORS = ["conv1.weight", "layer1.0.conv1.weight"];
const MIN_TENSORS = 4;

function netsOf(naming: Naming, tensors: ReadonlyMap<string, Shaped>): Candidate[] {
  const byPrefix = new Map<string, Map<string, string>>();
  for (const name of tensors.keys()) {
    const found = name.length <= MAX_NAME ? naming.parse(name) : undefined;
    if (!found) continue;
    const names = byPrefix.get(found.prefix) ?? new Map<string, string>();
    byPrefix.set(found.prefix, names.set(torchName(found.spot), name));
  }
  return [...byPrefix].flatMap(([prefix, names]) =>
    ANCHORS.some((name) => names.has(name)) && names.size >= MIN_TENSORS ? { naming, prefix, names } : [],
  );
}

const torchName = (spot: Spot): string => TORCHVISION.format(spot)!;

/** True if names under this prefix are of a running average of the weights. */
export const isAverage = (prefix: string): boolean => /ema|averag|shadow|teacher/i.test(prefix);

/** The layer that takes the last features: a matrix beside the net's tensors, or, if there is none there, elsewhere. */
function headOf(
  { naming, names }: Candidate,
  tensors: ReadonlyMap<string, Shaped>,
  own: readonly string[],
  layout: "torch" | "engine",
): string | undefined {
  const features = featuresOf(names, tensors, layout);
  const layersIn = (among: Iterable<string>): string[] =>
    [...among].flatMap((name) => {
      const layer = naming.headLayer(name);
      const shape = tensors.get(name)!.shape;
      const inputs = shape[layout === "torch" ? 1 : 0];
      return layer !== undefined && shape.length === 2 && inputs === features ? layer : [];
    });
  const ownLayers = layersIn(own);
  const layers = ownLayers.length > 0 ? ownLayers : layersIn(tensors.keys());
  return layers.find((layer) => HEADS.test(layer)) ?? layers.at(-1);
}

/** Output channels of the last convolution. */
function featuresOf(
  names: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, Shaped>,
  layout: "torch" | "engine",
): number | undefined {
  let stage = 1;
  while (names.has(`layer${stage + 1}.0.conv1.weight`)) stage++;
  const last = names.get(`layer${stage}.0.conv3.weight`) ?? names.get(`layer${stage}.0.conv2.weight`);
  return last === undefined ? undefined : tensors.get(last)!.shape[layout === "torch" ? 0 : 3];
}
