import { init, manualSeed } from "@shadegrad/tensor";
import { dispose, type Layer } from "@shadegrad/tensor/nn";
import {
  FastNet,
  fastRecipe,
  ImageSet,
  paperRecipe,
  type RecipeOptions,
  resnet8,
  shortRecipe,
  train,
  whiten,
} from "../../src/index.ts";
import type { Recipe } from "../../src/training/recipe-options.ts";

/** Steps of each training. */
export const STEPS = 100;
const SEED = 1;
const data = gratings(640);

interface Run {
  readonly net: () => Promise<Layer & object>;
  readonly recipe: (model: object, options: RecipeOptions) => Recipe;
  readonly batchSize: number;
}

const narrowResNet = async () => resnet8({ nChannels: [8, 16, 32] });

/** A training per recipe: its own settings, on a net and on batches that are small enough for a software adapter. */
export const runs = {
  paper: { net: narrowResNet, recipe: paperRecipe, batchSize: 32 },
  short: { net: narrowResNet, recipe: shortRecipe, batchSize: 32 },
  fast: {
    net: async () => {
      const net = new FastNet({ widths: [8, 16, 16] });
      await whiten(net, data);
      return net;
    },
    recipe: fastRecipe,
    batchSize: 64,
  },
} satisfies Record<string, Run>;

export type RunName = keyof typeof runs;

/** Losses of a run's steps, in float32. */
export async function lossesOf(name: RunName): Promise<number[]> {
  await init({ quiet: true });
  manualSeed(SEED);
  const { net, recipe, batchSize }: Run = runs[name];
  const model = await net();
  const settings = recipe(model, { images: data.length, steps: STEPS, batchSize });
  const losses: number[] = [];
  await train({
    ...settings,
    ...{ model, data, seed: SEED, precision: "f32", logEvery: 1 },
    onProgress: (event) => {
      if (event.kind === "step") losses.push(event.loss);
    },
  });
  settings.optimizer.dispose();
  dispose(model);
  return losses;
}

/**
 * Noisy gratings of random colours and phase: five directions by two widths are ten classes. → `[count, 32, 32, 3]`, bytes
 */
function gratings(count: number, side = 32): ImageSet {
  let state = 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const images = new Uint8Array(count * side * side * 3);
  for (let i = 0, at = 0; i < count; i++) {
    const angle = ((i % 5) * Math.PI) / 5;
    const length = i % 2 === 0 ? 5 : 9; // pixels
    const phase = random();
    const colour = [random(), random(), random()];
    for (let h = 0; h < side; h++)
      for (let w = 0; w < side; w++) {
        const along = (w * Math.cos(angle) + h * Math.sin(angle)) / length;
        const bright = Math.sin(2 * Math.PI * (along + phase)) > 0 ? 110 : 0;
        for (let c = 0; c < 3; c++) images[at++] = Math.floor(bright + 70 * colour[c]! + 70 * random());
      }
  }
  return new ImageSet({
    images,
    labels: Uint8Array.from({ length: count }, (_, i) => i % 10),
    shape: [side, side, 3],
    classes: Array.from({ length: 10 }, (_, label) => String(label)),
    normalization: { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  });
}
