import { Tensor } from "@shadegrad/tensor";
import type { Layer } from "@shadegrad/tensor/nn";

/** A layer of a model, and where in it that is: `base.blocks.3.shortcut.conv`. */
export interface Located {
  readonly name: string;
  readonly layer: Layer & { training?: boolean };
  /** Whether it has no layers inside. */
  readonly isLeaf: boolean;
}

/** Every layer in the model once, under its first name; what is inside a layer comes before it. */
export function layersOf(model: object): Located[] {
  const found: Located[] = [];
  const seen = new Set<object>();
  const visit = (part: object, name: string): void => {
    seen.add(part);
    const before = found.length;
    for (const [field, value] of Object.entries(part)) {
      if (typeof value !== "object" || value === null || seen.has(value)) continue;
      if (value instanceof Tensor || ArrayBuffer.isView(value)) continue;
      visit(value, name ? `${name}.${field}` : field);
    }
    if ("forward" in part && typeof part.forward === "function")
      found.push({ name: name || "model", layer: part as Located["layer"], isLeaf: found.length === before });
  };
  visit(model, "");
  return found;
}

/** Told of a layer before it runs, and after, with what it puts out. */
export interface Listener {
  before?: (located: Located) => void;
  after?: (located: Located, y: Tensor) => void;
}

/**
 * Run `work`, and be told of every layer of the model that runs in it.
 *
 * Layers that give back what they are given, as `Identity` does, are passed over in `after`.
 */
export function listening<T>(model: object, { before, after }: Listener, work: () => T): T {
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
