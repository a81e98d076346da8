import { FormatError, type Generator, Tensor } from "@shadegrad/tensor";
import {
  type HostTensor,
  openSafetensors,
  type SourceInput,
  type Writable,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { loadStateDict, type State, stateDict } from "@shadegrad/tensor/nn";
import type { Schedule } from "@shadegrad/tensor/optim";
import { batchNormsOf } from "../checkpoints/load.ts";
import { differencesOf, type Fixed, SettingsError } from "./fixed.ts";
import type { Settings } from "./records.ts";
import type { Trained } from "./step.ts";

/** How far a training is: what it needs to go on as if nothing had happened, beside numbers on the GPU. */
export interface Progress {
  /** Steps done, in all. */
  step: number;
  /** Epochs done. */
  epoch: number;
  /** Steps done of the epoch that has begun. */
  position: number;
  /** Over those. */
  loss: number;
  correct: number;
  images: number;
  /** Seconds of training, over all runs. */
  seconds: number;
}

export interface Checkpointed {
  readonly progress: Progress;
  readonly fixed: Fixed;
  readonly generator: { readonly seed: number; readonly offset: number };
  /** What else was noted of the training. */
  readonly settings?: Settings;
  /** The learning rate of each step done, if a schedule gave it. */
  readonly rates?: readonly number[];
}

/** A training as its file's metadata describe it. */
interface Described extends Checkpointed {
  /** The epsilon of each batch norm, by the name of its variance. */
  readonly epsilons?: Readonly<Record<string, number>>;
}

/** What a training goes on with. */
export interface Going extends Trained {
  readonly generator: Generator;
  readonly fixed: Fixed;
  readonly schedule?: Schedule | undefined;
}

/** Under which the metadata of a checkpoint say how far a training is. */
export const TRAINING_KEY = "shadegrad.training";

/**
 * Model, optimizer, loss scale and progress as one safetensors file, for {@link readTraining}: `save` writes it to a path, `toBytes`
 * gathers it for a download. `notes` are kept beside them.
 *
 * @throws NotFiniteError while it is written, at a NaN or an infinity: nothing could go on from it.
 */
export function writeTraining(
  { model, optimizer, scaler, lookahead }: Trained,
  { rates = [], ...state }: Checkpointed,
  notes: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const tensors = new Map<string, Writable>();
  const put = (prefix: string, entries: State) => {
    for (const [name, value] of entries) tensors.set(`${prefix}.${name}`, finite(name, value));
  };
  put("model", stateDict(model));
  put("optimizer", optimizer.stateDict());
  if (scaler) put("scaler", scaler.stateDict());
  if (lookahead) put("lookahead", lookahead.stateDict());
  tensors.set("rates", { dtype: "f64", shape: [rates.length], data: Float64Array.from(rates) });
  const epsilons = Object.fromEntries([...batchNormsOf(model)].map(([name, { eps }]) => [name, eps]));
  return writeSafetensors(tensors, { ...notes, [TRAINING_KEY]: JSON.stringify({ ...state, epsilons }) });
}

/** A tensor of a training holds a NaN or an infinity. */
export class NotFiniteError extends Error {
  constructor(tensor: string, value: number) {
    super(`${tensor} became ${value}`);
  }
}

/** A tensor as it is, checked when it is written. */
function finite(name: string, value: Tensor | Writable): Writable {
  const { dtype, shape } = value;
  const data = value instanceof Tensor ? () => value.data() : value.data;
  return {
    dtype,
    shape,
    async data() {
      const numbers = typeof data === "function" ? await data() : data;
      if (numbers instanceof Float32Array) {
        for (const number of numbers) if (!Number.isFinite(number)) throw new NotFiniteError(name, number);
      }
      return numbers;
    },
  };
}

/**
 * Put model, optimizer, loss scale and generator back to where a checkpoint has them.
 *
 * @throws FormatError if it is no checkpoint of a training; SettingsError, before anything is changed, with all that was
 * otherwise when it was made: `fixed`, or the rates that `schedule` gives for the steps that are done.
 */
export async function readTraining(
  input: SourceInput,
  { model, optimizer, scaler, lookahead, generator, fixed, schedule }: Going,
): Promise<Progress> {
  const path = typeof input === "string" ? input : "the file";
  const file = await openSafetensors(input).catch((error: Error) => {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`resume: ${path} is damaged, and cannot be gone on with. ${error.message}`, {
      cause: error,
    });
  });
  try {
    const json = file.metadata.get(TRAINING_KEY);
    if (!json) {
      throw new FormatError(
        `resume: ${path} holds weights, but not how far a training was. Load it into the model and begin a training with that.`,
      );
    }
    const state = parsed(json, path);
    const part = () => new Map<string, HostTensor>();
    const parts = { model: part(), optimizer: part(), scaler: part(), lookahead: part() };
    let rates: ArrayLike<number> = [];
    for await (const [name, entry] of file) {
      const [, part, rest] = /^(model|optimizer|scaler|lookahead)\.(.*)$/.exec(name) ?? [];
      if (part) parts[part as keyof typeof parts].set(rest!, await entry.read());
      else if (name === "rates") rates = (await entry.read()).data as Float64Array;
    }
    const found = differencesOf({ fixed: state.fixed, rates }, { fixed, schedule });
    if (found.length > 0) throw new SettingsError(path, found, state.settings ?? {});
    loadStateDict(model, parts.model);
    for (const [name, norm] of batchNormsOf(model)) norm.eps = state.epsilons?.[name] ?? norm.eps;
    optimizer.loadStateDict(parts.optimizer);
    scaler?.loadStateDict(parts.scaler);
    lookahead?.loadStateDict(parts.lookahead);
    Object.assign(generator, state.generator);
    return state.progress;
  } finally {
    await file.close();
  }
}

function parsed(json: string, path: string): Described {
  try {
    const state = JSON.parse(json) as Described;
    if (typeof state.fixed === "object" && typeof state.progress?.step === "number") return state;
  } catch {
    // as below
  }
  throw new FormatError(`resume: ${path} says how far a training was, but in a way that is not understood.`);
}
