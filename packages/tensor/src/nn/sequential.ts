import type { Tensor } from "../core/tensor.ts";
import { kindOf } from "../errors.ts";
import type { Layer } from "./module.ts";

/**
 * Layers one after another; a function from tensor to tensor counts as a layer without state.
 *
 * The layers are its elements 0, 1, …, which is how PyTorch names what they hold.
 */
export class Sequential implements Layer {
  readonly [index: number]: Layer | ((x: Tensor) => Tensor);

  /** @throws TypeError naming the first that is neither a layer nor a function. */
  constructor(...layers: readonly (Layer | ((x: Tensor) => Tensor))[]) {
    for (const [i, layer] of layers.entries()) {
      if (typeof layer !== "function" && typeof layer?.forward !== "function")
        throw new TypeError(`Sequential: layer ${i} is ${kindOf(layer)}, neither a layer nor a function.`);
    }
    Object.assign(this, layers);
  }

  get length(): number {
    return Object.keys(this).length;
  }

  [Symbol.iterator](): Iterator<Layer | ((x: Tensor) => Tensor)> {
    return Object.values(this).values();
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this) y = typeof layer === "function" ? layer(y) : layer.forward(y);
    return y;
  }
}
