import type { ResNetBase } from "../base.ts";
import { torchvisionName } from "../names.ts";
import { ResNet } from "../zoo.ts";
import { fileName, findNet } from "./find-net.ts";
import type { CheckpointInfo } from "./open.ts";
import { unwrappedName } from "./wrappers.ts";

/** The tensors of a file that are a model's. */
export interface Match {
  /** The file's name for a tensor, by the model's. */
  nameOf(name: string): string | undefined;
  /** Names in the file that are the model's, or stand among them. */
  readonly names: readonly string[];
  /** Number of the model's tensors that the file has. */
  readonly found: number;
}

type File = Pick<CheckpointInfo, "tensors" | "layout">;

/**
 * Match a model's tensors with a file's: a ResNet's, or its base's, under any naming that is known, or any model's
 * under its own names; in both cases under the prefix that fits most of them.
 *
 * @param withHead false leaves a ResNet's head out, and that of the file
 */
export function matchNames(model: object, names: readonly string[], file: File, withHead: boolean): Match {
  const wanted = names.filter((name) => withHead || !isHead(model, name));
  const own = ownNames(model, wanted, file, withHead);
  const published = publishedNames(model, wanted, file, withHead);
  return published && published.found > own.found ? published : own;
}

const isHead = (model: object, name: string): boolean => model instanceof ResNet && /^fc\./.test(name);

/** A ResNet's tensors, or its base's, under a library's names. */
function publishedNames(
  model: object,
  wanted: readonly string[],
  { tensors, layout }: File,
  withHead: boolean,
): Match | undefined {
  const toTorchvision = torchNamesOf(model);
  const net = toTorchvision && findNet(tensors, layout);
  if (!net) return undefined;
  const takesHead = model instanceof ResNet && withHead;
  const body = [...net.names].filter(([name]) => takesHead || !name.startsWith("fc."));
  const called = new Map(wanted.map((name) => [name, fileName(net, toTorchvision(name))]));
  return {
    nameOf: (name) => called.get(name),
    names: [...body.map(([, name]) => name), ...net.others],
    found: wanted.filter((name) => tensors.has(called.get(name) ?? "")).length,
  };
}

/** torchvision's names for the tensors of a ResNet, or of its base; undefined for another model. */
function torchNamesOf(model: object): ((name: string) => string) | undefined {
  if (model instanceof ResNet) return (name) => torchvisionName(name, model.options);
  if (isBase(model)) return (name) => torchvisionName(`base.${name}`, model);
  return undefined;
}

const isBase = (model: object): model is ResNetBase => "nBlocks" in model && "outChannels" in model;

/** A model's tensors under its own names, after the prefix that most of them have in the file. */
function ownNames(model: object, wanted: readonly string[], { tensors }: File, withHead: boolean): Match {
  const plain = new Map(wanted.map((name) => [name, unwrappedName(name)]));
  const known = new Set([...plain.values(), ...wanted]);
  const counts = new Map<string, number>([["", 0]]);
  for (const name of tensors.keys()) {
    for (let at = 0; at >= 0; at = next(name, at)) {
      if (known.has(name.slice(at))) counts.set(name.slice(0, at), (counts.get(name.slice(0, at)) ?? 0) + 1);
    }
  }
  const [prefix, found] = [...counts].reduce((best, other) => (other[1] > best[1] ? other : best));
  const head = `${prefix}fc.`;
  return {
    nameOf(name) {
      if (!plain.has(name)) return undefined;
      return prefix + (tensors.has(prefix + name) ? name : plain.get(name));
    },
    names: [...tensors.keys()].filter(
      (name) => name.startsWith(prefix) && !(model instanceof ResNet && !withHead && name.startsWith(head)),
    ),
    found,
  };
}

/** Index of the next part of a dotted name; −1 after the last. */
const next = (name: string, at: number): number => {
  const dot = name.indexOf(".", at);
  return dot < 0 || at > 300 ? -1 : dot + 1;
};
