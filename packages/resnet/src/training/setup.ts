import { type Device, type Generator, generatorOf } from "@shadegrad/tensor";
import { type Dataset, datasetOf } from "../data/index.ts";
import { deviceOf } from "./evaluate.ts";
import { type Options, settingsOf, type TrainOptions, withDefaults } from "./options.ts";
import type { Settings } from "./records.ts";
import { type ResumeSettings, resumeSettingsOf } from "./resume-settings.ts";
import { RunFolder } from "./run-folder.ts";
import type { Trained } from "./step.ts";
import { readTraining } from "./training-checkpoint.ts";
import type { TrainingProgress } from "./training-state.ts";

/** All that is fixed while a training runs. */
export interface Setup {
  readonly options: Options;
  readonly data: Dataset;
  readonly validation: Dataset | undefined;
  readonly folder: RunFolder | undefined;
  readonly device: Device;
  readonly generator: Generator;
  readonly settings: Settings;
  /** Steps in all. */
  readonly steps: number;
  /** Steps of an epoch. */
  readonly perEpoch: number;
}

/** Check the options, open the data, and then the folder, which is locked from here on. */
export async function setUp(given: TrainOptions): Promise<Setup> {
  const options = withDefaults(given);
  const data = await datasetOf(options.data);
  if (data.length === 0) throw new RangeError("train: there is no image to learn from.");
  const validation = options.validation && (await datasetOf(options.validation));
  const device = deviceOf(options.model);
  const perEpoch = Math.ceil(data.length / options.batchSize);
  return {
    options,
    data,
    validation,
    device,
    generator: generatorOf(device),
    settings: settingsOf(options, data),
    steps: options.steps ?? options.epochs! * perEpoch,
    perEpoch,
    folder: options.out === undefined ? undefined : await RunFolder.open(options.out),
  };
}

/** Start of a training. */
export interface Start {
  readonly progress: TrainingProgress;
  readonly resumeSettings: ResumeSettings;
  /** The checkpoint that was loaded, if one was. */
  readonly path: string | undefined;
}

const BEGINNING: TrainingProgress = {
  ...{ step: 0, epoch: 0, position: 0, loss: 0, correct: 0, images: 0, seconds: 0 },
  ended: 0,
};

/** Load the checkpoint that the options ask for, if there is one, and say where the training starts. */
export async function start(setup: Setup, trained: Trained): Promise<Start> {
  const { options, data, folder, generator, steps } = setup;
  const { resume = false, seed, schedule } = options;
  Object.assign(generator, { seed, offset: 0 });
  const path = typeof resume === "string" ? resume : await ownCheckpoint(folder, resume);
  const resumeSettings = folder || path !== undefined ? await resumeSettingsOf(options, data) : {};
  if (path === undefined) return { progress: { ...BEGINNING }, resumeSettings, path };
  const progress = await readTraining(path, { ...trained, generator, resumeSettings, schedule });
  if (progress.step > steps) {
    throw new RangeError(
      `train: ${path} has ${progress.step} steps done, more than the ${steps} that are asked for. Ask for more, or start in another folder.`,
    );
  }
  return { progress, resumeSettings, path };
}

/** Path of the checkpoint in the training's folder, if there is one. */
async function ownCheckpoint(folder: RunFolder | undefined, resume: boolean): Promise<string | undefined> {
  if (!folder || !(await folder.hasCheckpoint())) return undefined;
  if (resume) return folder.checkpoint;
  throw new Error(
    `train: ${folder.path} has the checkpoint of a training already. Continue it with resume, or name another folder.`,
  );
}
