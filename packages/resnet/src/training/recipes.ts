import { checkOptions } from "@shadegrad/tensor";
import { multiStep, oneCycle, SGD } from "@shadegrad/tensor/optim";
import { fastRecipe } from "../fast/recipe.ts";
import { RECIPE_OPTIONS, type Recipe, type RecipeOptions } from "./recipe-options.ts";

export type { Recipe, RecipeOptions } from "./recipe-options.ts";

/**
 * The paper's training on CIFAR-10 (section 4.2): 64,000 batches of 128, rate 0.1 divided by 10 at one half and three
 * quarters, momentum 0.9, weight decay 1e-4, images padded by 4, cropped and mirrored at random.
 *
 * With another number of epochs the rate falls at the same fractions of the steps.
 */
export function paperRecipe(model: object, options: RecipeOptions): Recipe {
  checkOptions("paperRecipe", options, RECIPE_OPTIONS);
  const { images, epochs, batchSize = 128, lr = 0.1 } = options;
  const perEpoch = Math.ceil(images / batchSize);
  const steps = options.steps ?? (epochs === undefined ? 64_000 : epochs * perEpoch);
  return {
    steps,
    batchSize,
    optimizer: new SGD(model, { lr, momentum: 0.9, weightDecay: 1e-4 }),
    schedule: multiStep({ lr, milestones: [...new Set([Math.ceil(steps / 2), Math.ceil((3 * steps) / 4)])] }),
    augment: { pad: 4, flip: true },
  };
}

/**
 * A training for slow adapters: few epochs, in which the rate rises and falls once (Smith & Topin 2017).
 */
export function shortRecipe(model: object, options: RecipeOptions): Recipe {
  checkOptions("shortRecipe", options, RECIPE_OPTIONS);
  const { images, epochs = 10, batchSize = 64, lr = 0.2 } = options;
  const steps = options.steps ?? epochs * Math.ceil(images / batchSize);
  return {
    steps,
    batchSize,
    optimizer: new SGD(model, { lr, momentum: 0.9, weightDecay: 5e-4, nesterov: true }),
    schedule: oneCycle({ lr, steps, pctStart: 0.25, divFactor: 10, finalDivFactor: 100, anneal: "linear" }),
    augment: { pad: 4, flip: true },
  };
}

/** By name, for command lines. */
export const recipes = { paper: paperRecipe, short: shortRecipe, fast: fastRecipe } as const;
