import { countParameters } from "@shadegrad/tensor/nn";
import type { Preprocessing } from "../checkpoints/index.ts";
import type { Dataset } from "../data/index.ts";
import { deviceOf } from "./evaluate.ts";
import type { Settings } from "./records.ts";
import type { TrainOptions } from "./train.ts";

/** Options of a training, those filled in that nobody gave. */
export type Options = TrainOptions &
  Required<Pick<TrainOptions, "batchSize" | "seed" | "labelSmoothing" | "logEvery">>;

/** @throws RangeError at options that make no sense. */
export function filled(given: TrainOptions): Options {
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: Options = {
    batchSize: 128,
    seed: 0,
    labelSmoothing: 0,
    logEvery: 50,
    ...(Object.fromEntries(named) as unknown as TrainOptions),
  };
  const { epochs, steps, batchSize, logEvery, resume, out } = options;
  const fail = (what: string) => new RangeError(`train: ${what}`);
  if ((epochs === undefined) === (steps === undefined)) {
    throw fail(`either epochs or steps have to be given; epochs is ${epochs} and steps is ${steps}.`);
  }
  for (const [name, value] of Object.entries({ epochs, steps, batchSize, logEvery })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) {
      throw fail(`${name} has to be a whole number ≥ 1, not ${value}.`);
    }
  }
  if (resume === true && out === undefined)
    throw fail("resume needs out, the folder with the checkpoint, or its path.");
  return options;
}

/** What a training is begun with, for its report. */
export function settingsOf(options: Options, data: Dataset): Settings {
  const { model, optimizer, batchSize, seed, augment, labelSmoothing, epochs, steps, settings } = options;
  const precision = options.precision ?? deviceOf(model).precision;
  const state = [...optimizer.stateDict()].filter(([name]) => name.startsWith("groups.0."));
  return {
    ...settings,
    parameters: countParameters(model),
    images: data.length,
    ...(epochs === undefined ? { steps: steps! } : { epochs }),
    batchSize,
    seed,
    optimizer: optimizer.constructor.name,
    ...Object.fromEntries(state.map(([name, value]) => [name.slice("groups.0.".length), String(value.data)])),
    augment: JSON.stringify(augment ?? {}),
    labelSmoothing,
    ...(precision !== "f32" && { precision }),
  };
}

/** What pixels have to become before the trained net takes them, where they have three colours. */
export function preprocessingOf({ normalization }: Options, data: Dataset): Preprocessing | undefined {
  const { mean, std } = (normalization ?? data.normalization) || { mean: [0, 0, 0], std: [1, 1, 1] };
  if (data.shape[2] !== 3) return undefined;
  const three = ([r, g, b]: readonly number[]): [number, number, number] => [r!, g!, b!];
  return { channels: "rgb", range: 1, mean: three(mean), std: three(std) };
}
