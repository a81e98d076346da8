import { checkOptions, type Tensor } from "@shadegrad/tensor";
import { namedParameters } from "@shadegrad/tensor/nn";
import { type Schedule, SGD } from "@shadegrad/tensor/optim";
import type { TrainOptions } from "../training/options.ts";
import { RECIPE_OPTIONS, type RecipeOptions } from "../training/recipe-options.ts";

/** Settings that {@link fastRecipe} gives, beside model and data. */
export type FastRecipe = Required<
  Pick<TrainOptions, "batchSize" | "augment" | "labelSmoothing" | "rateFactors" | "lookahead">
> & { steps: number; optimizer: SGD; schedule: Schedule };

const BATCH = 1024;
const MOMENTUM = 0.85;
/** Learning rate and weight decay for 1,024 images, independent of momentum and of one another. */
const RATE = 11.5;
const DECAY = 0.0153;
/** Biases of batch norm learn so many times faster. */
const BIAS_FACTOR = 64;

/**
 * airbench94's recipe for a {@link FastNet} on CIFAR-10 (Jordan 2024, section 3 and listing 4): batches of 1,024, Nesterov,
 * a rate that rises over the first 23 % and falls to 7 %, label smoothing 0.2, windows moved by up to 2 pixels over reflected
 * edges, mirrored in every second epoch, and slow weights updated every 5 steps.
 *
 * The paper's rates are decoupled: they are divided by 1 / (1 − momentum) here, and the decay by the rate.
 */
export function fastRecipe(model: object, options: RecipeOptions): FastRecipe {
  checkOptions("fastRecipe", options, RECIPE_OPTIONS);
  const { images, epochs = 13, batchSize = BATCH } = options;
  const steps = options.steps ?? Math.round(epochs * Math.ceil(images / batchSize));
  const effective = 1 + 1 / (1 - MOMENTUM);
  const lr = options.lr ?? (RATE * batchSize) / BATCH / effective;
  const decay = (DECAY * batchSize) / BATCH / effective;
  const isBias = (name: string) => /norm\d\.bias$/.test(name);
  const parameters = [...namedParameters(model)];
  const group = (of: (name: string) => boolean, factor: number) => ({
    params: new Map<string, Tensor>(parameters.filter(([name]) => of(name))),
    lr: factor * lr,
    weightDecay: decay / (factor * lr),
  });
  const factors = [1, BIAS_FACTOR];
  return {
    steps,
    batchSize,
    optimizer: new SGD([group((name) => !isBias(name), 1), group(isBias, BIAS_FACTOR)], {
      lr,
      momentum: MOMENTUM,
      nesterov: true,
    }),
    schedule: (step) => lr * triangle(step / steps),
    rateFactors: factors,
    labelSmoothing: 0.2,
    augment: { pad: 2, edge: "reflect", flip: "alternate" },
    lookahead: { every: 5, decay: (done) => 0.95 ** 5 * (done / steps) ** 3 },
  };
}

/** From 0.2 to 1 over the first 23 % of the way, and to 0.07 over the rest. */
function triangle(part: number): number {
  const peak = 0.23;
  return part < peak ? 0.2 + (0.8 * part) / peak : 1 - (0.93 * (part - peak)) / (1 - peak);
}
