import { checkOptions, type Tensor } from "@shadegrad/tensor";
import { type Layer, namedModules } from "@shadegrad/tensor/nn";

/** A layer of a model with its name there: `base.blocks.3.shortcut.conv`. */
export interface Located {
  readonly name: string;
  readonly layer: Layer & { training?: boolean };
  /** True if it has no layers inside. */
  readonly isLeaf: boolean;
}

/** Every layer in the model once, under its first name; those inside a layer come before it. */
export function layersOf(model: object): Located[] {
  const found: Located[] = [];
  const outer: (readonly [name: string, layer: object, before: number])[] = [];
  const close = () => {
    const [name, layer, before] = outer.pop()!;
    const isLeaf = found.length === before;
    found.push({ name: name || "model", layer: layer as Located["layer"], isLeaf });
  };
  for (const [name, part] of namedModules(model)) {
    while (outer.length > 0 && !isInside(name, outer.at(-1)![0])) close();
    if ("forward" in part && typeof part.forward === "function") outer.push([name, part, found.length]);
  }
  while (outer.length > 0) close();
  return found;
}

const isInside = (name: string, outer: string): boolean => outer === "" || name.startsWith(`${outer}.`);

/** Callbacks before a layer runs, and after, with its output. */
export interface Listener {
  before?: (located: Located) => void;
  after?: (located: Located, y: Tensor) => void;
}

/**
 * Run `work`, and call the listener for every layer of the model that runs in it.
 *
 * `after` is not called for layers that return their input, as `Identity` does.
 */
export function listening<T>(model: object, listener: Listener, work: () => T): T {
  checkOptions("listening", listener, ["before", "after"]);
  const { before, after } = listener;
  const layers = layersOf(model);
  const unwrapped = layers.map(({ layer }) => Object.getOwnPropertyDescriptor(layer, "forward"));
  try {
    for (const located of layers) {
      const forward = located.layer.forward.bind(located.layer);
      const heard = (x: Tensor): Tensor => {
        before?.(located);
        const y = forward(x);
        if (y !== x) after?.(located, y);
        return y;
      };
      Object.defineProperty(located.layer, "forward", { value: heard, configurable: true });
    }
    return work();
  } finally {
    layers.forEach(({ layer }, i) => {
      const own = unwrapped[i];
      if (own) Object.defineProperty(layer, "forward", own);
      else delete (layer as Partial<Layer>).forward;
    });
  }
}
