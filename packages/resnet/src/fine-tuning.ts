import { Tensor } from "@shadegrad/tensor";
import { Linear, namedModules, parameters } from "@shadegrad/tensor/nn";
import type { ResNet } from "./zoo.ts";

/**
 * Give a net a new head for other classes, with random weights; names of classes become its labels. The old head is freed.
 *
 * Make the optimizer after this: it holds the parameters that it was made for.
 */
export function replaceHead(net: ResNet, classes: number | readonly string[]): ResNet {
  const count = typeof classes === "number" ? classes : classes.length;
  const old = net.fc;
  net.fc = new Linear(net.base.outChannels, count);
  for (const tensor of Object.values(old)) if (tensor instanceof Tensor) tensor.dispose();
  net.options = { ...net.options, classes: count };
  if (typeof classes === "number") delete net.labels;
  else net.labels = [...classes];
  return net;
}

interface Frozen {
  readonly parameters: readonly Tensor[];
  /** Each part with a mode, and its field `training` as it was. */
  readonly modes: readonly (readonly [part: object, field: PropertyDescriptor | undefined])[];
}

const frozen = new WeakMap<object, Frozen>();

/**
 * Freeze a layer: its parameters get no gradient, and its batch norms and dropouts stay in evaluation mode, so that running
 * statistics do not change either. `train` on the model does not undo it; {@link unfreeze} does.
 *
 * Make the optimizer after this: it moves the parameters that require a gradient.
 */
export function freeze<L extends object>(layer: L): L {
  if (frozen.has(layer)) return layer;
  const own = parameters(layer);
  for (const tensor of own) tensor.requiresGrad = false;
  const modes = namedModules(layer).flatMap(([, part]) => {
    if (!("training" in part) || typeof part.training !== "boolean") return [];
    part.training = false; // compiled functions notice it by this
    const field = Object.getOwnPropertyDescriptor(part, "training");
    const fixed = { get: () => false, set() {}, enumerable: true, configurable: true };
    Object.defineProperty(part, "training", fixed);
    return [[part, field] as const];
  });
  frozen.set(layer, { parameters: own, modes });
  return layer;
}

/** Undo {@link freeze}. The layer stays in evaluation mode until `train` is called on the model. */
export function unfreeze<L extends object>(layer: L): L {
  const { parameters = [], modes = [] } = frozen.get(layer) ?? {};
  for (const tensor of parameters) tensor.requiresGrad = true;
  for (const [part, field] of modes) {
    if (field) Object.defineProperty(part, "training", field);
    else Reflect.deleteProperty(part, "training");
  }
  frozen.delete(layer);
  return layer;
}
