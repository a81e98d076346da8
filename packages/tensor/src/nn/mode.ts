import { choice, outdateRecordings } from "../core/recorder.ts";

/** A layer that behaves differently in training. */
export interface Modal {
  training: boolean;
}

const watched = new WeakSet<object>();

/** Let compiled functions notice the mode of a layer that is being made. */
export function watchMode(layer: Modal): void {
  const flag = flagOf(layer);
  if (!flag) return;
  watched.add(layer);
  Object.defineProperty(layer, "training", {
    // Code that reads it during a recording depends on it.
    get: () => choice(flag.get),
    set: flag.set,
    enumerable: true,
    configurable: true,
  });
}

/**
 * Let compiled functions notice the mode of a layer that a walk over a model meets, if it has one: a layer of
 * somebody else, that reads a plain field. A function that was recorded before may have read it unseen.
 */
export function watchModeOf(module: object): module is Modal {
  if (watched.has(module)) return true;
  if (!("training" in module) || typeof module.training !== "boolean") return false;
  if (Object.isExtensible(module)) {
    watchMode(module as Modal);
    outdateRecordings();
  }
  return true;
}

/** The flag of a layer, which is a field, of the layer or of its prototype, or an accessor. */
function flagOf(layer: Modal): { get(): boolean; set(training: boolean): void } | undefined {
  const own = Object.getOwnPropertyDescriptor(layer, "training");
  if (own && !own.configurable) return undefined;
  let of: object | null = layer;
  while (of && !Object.hasOwn(of, "training")) of = Object.getPrototypeOf(of);
  const { get, set } = (of && Object.getOwnPropertyDescriptor(of, "training")) ?? {};
  if (get) return { get: () => get.call(layer), set: (training) => set?.call(layer, training) };
  let value = layer.training;
  return {
    get: () => value,
    set(training) {
      value = training;
    },
  };
}
