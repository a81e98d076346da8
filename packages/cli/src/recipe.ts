import { type FastNet, type Recipe, type ResNet, recipes } from "@shadegrad/resnet";
import { Adam, AdamW, cosine, multiStep, oneCycle, type Schedule, type SGD } from "@shadegrad/tensor/optim";

/** Options of the train command that choose or change a recipe. */
export interface RecipeChanges {
  recipe: keyof typeof recipes;
  epochs?: number;
  steps?: number;
  batch?: number;
  optimizer?: "sgd" | "adam" | "adamw";
  lr?: number;
  weightDecay?: number;
  schedule?: ScheduleName;
  augment: boolean;
}

type ScheduleName = "cosine" | "steps" | "one-cycle" | "constant";

/** The schedule that each recipe has of its own, with its own settings. */
export const OWN_SCHEDULE = { paper: "steps", short: "one-cycle", fast: "triangle" } as const;

/** The recipe with the changes of the options; an option that is absent keeps the recipe's value. */
export function changedRecipe(
  model: ResNet | FastNet,
  images: number,
  options: RecipeChanges,
): Omit<Recipe, "optimizer"> & { optimizer: SGD | Adam | AdamW } {
  const { epochs, steps, batch: batchSize, optimizer: kind, weightDecay, schedule, augment } = options;
  const recipe: Recipe = recipes[options.recipe](model, {
    images,
    epochs,
    steps,
    batchSize,
    lr: rateOf(options),
  });
  const { lr } = recipe.optimizer;
  const optimizer = kind?.startsWith("adam") ? adam(model, kind, lr) : recipe.optimizer;
  // The groups of another optimizer are not the recipe's.
  const { rateFactors: _, ...others } = recipe;
  if (weightDecay !== undefined) for (const group of optimizer.groups) group.weightDecay = weightDecay;
  const isOther = schedule !== undefined && schedule !== OWN_SCHEDULE[options.recipe];
  return {
    ...(optimizer === recipe.optimizer ? recipe : others),
    optimizer,
    ...(isOther && { schedule: scheduleOf(schedule, lr, recipe.steps) }),
    ...(!augment && { augment: {} }),
  };
}

/** The rates of the recipes are for SGD; Adam needs smaller ones. */
const rateOf = ({ lr, optimizer }: RecipeChanges): number | undefined =>
  lr ?? (optimizer?.startsWith("adam") ? 1e-3 : undefined);

const adam = (model: object, kind: string, lr: number): Adam | AdamW =>
  kind === "adam" ? new Adam(model, { lr, weightDecay: 1e-4 }) : new AdamW(model, { lr, weightDecay: 1e-4 });

function scheduleOf(kind: ScheduleName, lr: number, steps: number): Schedule {
  switch (kind) {
    case "cosine":
      return cosine({ lr, steps });
    case "steps":
      return multiStep({ lr, milestones: [...new Set([Math.ceil(steps / 2), Math.ceil((3 * steps) / 4)])] });
    case "one-cycle":
      return oneCycle({ lr, steps });
    case "constant":
      return () => lr;
  }
}
