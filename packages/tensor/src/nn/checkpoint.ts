import { backward } from "../backward/backward.ts";
import { differentiable, noGrad, withGrad } from "../core/autograd.ts";
import { type Draws, firstPass, secondPass } from "../core/replayed-draws.ts";
import { scope } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { autocast, precisionOn } from "../gpu/precision.ts";
import { type Layer, parameters } from "./module.ts";

/**
 * Trade time for memory: what `block` computes on its way is not kept for `backward`, which runs the
 * block's forward pass once more (Chen et al. 2016, "Training deep nets with sublinear memory cost").
 *
 * Gives the block itself, whose `forward` is another from here on; names of its tensors stay. The second pass
 * draws the same random numbers, and moves no running statistics.
 */
export function checkpoint<B extends Layer & object>(block: B): B {
  const forward = block.forward.bind(block);
  // Not enumerable, since what is belongs to a model's state, or is a layer of Sequential.
  Object.defineProperty(block, "forward", { value: (x: Tensor) => repeated(x, block, forward) });
  return block;
}

function repeated(x: Tensor, block: object, forward: (x: Tensor) => Tensor): Tensor {
  const draws: Draws = [];
  const precision = precisionOn(x.device);
  const y = noGrad(() => scope(() => firstPass(draws, () => forward(x))));
  const inputs = [x, ...parameters(block)];
  return differentiable("checkpoint", y, inputs, (dy) => {
    let gradients: (Tensor | undefined)[] | undefined;
    const find = () => {
      gradients ??= secondPass(draws, () => autocast(precision, () => gradientsOf(inputs, forward, dy)));
      return gradients;
    };
    return inputs.map((_, i) => () => find()[i]);
  });
}

/** d(forward) / d(input) · dy for x and for each parameter that it depends on, by a pass forward and a pass back. */
function gradientsOf(
  [x, ...rest]: readonly Tensor[],
  forward: (x: Tensor) => Tensor,
  dy: Tensor,
): (Tensor | undefined)[] {
  const leaf = x!.detach();
  leaf.requiresGrad = x!.requiresGrad;
  const leaves = [leaf, ...rest];
  // Gradients that parameters have already are none of this pass.
  const before = leaves.map(({ grad }) => grad);
  for (const w of leaves) w.grad = undefined;
  try {
    // The pass frees its intermediate tensors.
    scope(() => withGrad(() => backward(forward(leaf), dy)));
    return leaves.map(({ grad }) => grad);
  } finally {
    for (const [i, w] of leaves.entries()) w.grad = before[i];
    leaf.dispose();
  }
}
