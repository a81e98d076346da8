import { FormatError, type Generator, Tensor } from "@shadegrad/tensor";
import {
  type HostTensor,
  openSafetensors,
  type SourceInput,
  type Writable,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { loadStateDict, type State, stateDict } from "@shadegrad/tensor/nn";
import type { StepOptions } from "./step.ts";

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

/** What a checkpoint was made with, and must be gone on with. */
export interface Fixed {
  readonly seed: number;
  readonly batchSize: number;
  /** Images of the data set. */
  readonly images: number;
}

export interface Checkpointed {
  readonly progress: Progress;
  readonly fixed: Fixed;
  readonly generator: { readonly seed: number; readonly offset: number };
}

type Trained = Pick<StepOptions, "model" | "optimizer">;

const KEY = "shadegrad.training";

/**
 * Model, optimizer and progress as one safetensors file, for {@link readTraining}: `save` writes it to a path, `toBytes`
 * gathers it for a download. `notes` are kept beside them.
 */
export function writeTraining(
  { model, optimizer }: Trained,
  state: Checkpointed,
  notes: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const tensors = new Map<string, Writable>();
  const put = (prefix: string, entries: State) => {
    for (const [name, value] of entries) tensors.set(`${prefix}.${name}`, writable(value));
  };
  put("model", stateDict(model));
  put("optimizer", optimizer.stateDict());
  return writeSafetensors(tensors, { ...notes, [KEY]: JSON.stringify(state) });
}

const writable = (value: Tensor | HostTensor): Writable =>
  value instanceof Tensor ? { dtype: value.dtype, shape: value.shape, data: () => value.data() } : value;

/**
 * Put model, optimizer and generator back to where a checkpoint has them.
 *
 * @throws FormatError if it is no checkpoint of a training, or was made with other data, another seed, batch size or model.
 */
export async function readTraining(
  input: SourceInput,
  { model, optimizer, generator, fixed }: Trained & { generator: Generator; fixed: Fixed },
): Promise<Progress> {
  const path = typeof input === "string" ? input : "the file";
  const file = await openSafetensors(input);
  try {
    const json = file.metadata.get(KEY);
    if (!json) {
      throw new FormatError(
        `resume: ${path} holds weights, but not how far a training was. Load it into the model and begin a training with that.`,
      );
    }
    const state = JSON.parse(json) as Checkpointed;
    for (const key of ["seed", "batchSize", "images"] as const) {
      if (state.fixed[key] === fixed[key]) continue;
      throw new FormatError(
        `resume: ${path} was made with ${LABELS[key]} ${state.fixed[key]}, not ${fixed[key]}: it cannot be gone on with.`,
      );
    }
    const parts = { model: new Map<string, HostTensor>(), optimizer: new Map<string, HostTensor>() };
    for await (const [name, entry] of file) {
      const [, part, rest] = /^(model|optimizer)\.(.*)$/.exec(name) ?? [];
      if (part) parts[part as keyof typeof parts].set(rest!, await entry.read());
    }
    loadStateDict(model, parts.model);
    optimizer.loadStateDict(parts.optimizer);
    Object.assign(generator, state.generator);
    return state.progress;
  } finally {
    await file.close();
  }
}

const LABELS = { seed: "seed", batchSize: "a batch size of", images: "a data set of" };
