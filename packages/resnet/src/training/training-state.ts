import { FormatError } from "@shadegrad/tensor";
import type { Settings } from "./records.ts";
import type { ResumeSettings } from "./resume-settings.ts";

/** Position of a training and its sums, on the host; with the numbers on the GPU it is all that a resume needs. */
export interface TrainingProgress {
  /** Steps done, in all. */
  step: number;
  /** Epochs done. */
  epoch: number;
  /** Steps done of the epoch that runs. */
  position: number;
  /** Sums over those steps. */
  loss: number;
  correct: number;
  images: number;
  /** Seconds of training, over all runs. */
  seconds: number;
  /** The step after which an epoch was last evaluated and recorded; 0 before the first. */
  ended: number;
}

export interface TrainingState {
  readonly progress: TrainingProgress;
  readonly resumeSettings: ResumeSettings;
  readonly generator: { readonly seed: number; readonly offset: number };
  /** All other settings of the training, for messages. */
  readonly settings?: Settings;
  /** The learning rate of each step done, if a schedule gave it. */
  readonly rates?: readonly number[];
}

/** The state as a file has it. */
export interface ReadState extends TrainingState {
  /** Epsilon of each batch norm, by the name of its variance. */
  readonly epsilons?: Readonly<Record<string, number>>;
}

/**
 * The state in a training checkpoint's metadata, every field checked.
 *
 * @throws FormatError with the first field that is wrong.
 */
export function parseTrainingState(json: string, path: string): ReadState {
  const fail = (what: string) =>
    new FormatError(`resume: ${path} has a state of a training that is not understood: ${what}.`);
  let state: Fields;
  try {
    state = fieldsOf(JSON.parse(json));
  } catch (cause) {
    throw new FormatError(`resume: ${path} has a state of a training that is no JSON.`, { cause });
  }
  const progress = fieldsOf(state.progress);
  for (const name of COUNTS)
    if (!isCount(progress[name])) throw fail(`progress.${name} is ${progress[name]}`);
  for (const name of AMOUNTS) {
    if (!isAmount(progress[name])) throw fail(`progress.${name} is ${progress[name]}`);
  }
  const { step, epoch, position, ended } = progress as unknown as TrainingProgress;
  if (epoch > step || position > step || ended > step) {
    throw fail(`after ${step} steps it is in step ${position} of epoch ${epoch + 1}`);
  }
  const { seed, offset } = fieldsOf(state.generator);
  if (!isCount(seed) || !isCount(offset)) throw fail(`the generator's seed is ${seed}, its offset ${offset}`);
  for (const name of ["resumeSettings", "settings"] as const) {
    if (name === "settings" && state[name] === undefined) continue;
    const odd = oddSetting(state[name]);
    if (odd !== undefined) throw fail(`${name} ${odd}`);
  }
  const epsilons = fieldsOf(state.epsilons);
  for (const [name, value] of Object.entries(epsilons)) {
    if (!isAmount(value)) throw fail(`the epsilon of ${name} is ${value}`);
  }
  return {
    epsilons: epsilons as Readonly<Record<string, number>>,
    progress: progress as unknown as TrainingProgress,
    resumeSettings: state.resumeSettings as Settings,
    generator: { seed, offset },
    ...(state.settings !== undefined && { settings: state.settings as Settings }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const COUNTS = ["step", "epoch", "position", "images", "ended"] as const;
const AMOUNTS = ["loss", "correct", "seconds"] as const;

const fieldsOf = (value: unknown): Fields => Object(value) as Fields;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isAmount = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0;

function oddSetting(settings: unknown): string | undefined {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return "is no object";
  for (const [name, value] of Object.entries(settings)) {
    if (!["string", "number", "boolean"].includes(typeof value)) return `has ${name} of type ${typeof value}`;
  }
  return undefined;
}
