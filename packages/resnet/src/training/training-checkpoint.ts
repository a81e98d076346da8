import { FormatError, type Generator, Tensor } from "@shadegrad/tensor";
import {
  type HostTensor,
  openSafetensors,
  type SafetensorsFile,
  type SourceInput,
  type Writable,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { loadStateDict, type State, stateDict } from "@shadegrad/tensor/nn";
import type { Schedule } from "@shadegrad/tensor/optim";
import { Digest } from "../checkpoints/digest.ts";
import { batchNormsOf } from "../checkpoints/load.ts";
import { differencesOf, type ResumeSettings, SettingsError } from "./resume-settings.ts";
import { Snapshot } from "./snapshot.ts";
import type { Trained } from "./step.ts";
import {
  parseTrainingState,
  type ReadState,
  type TrainingProgress,
  type TrainingState,
} from "./training-state.ts";

/** The objects into which a checkpoint is loaded, and the settings that it has to match. */
export interface ResumeTarget extends Trained {
  readonly generator: Generator;
  readonly resumeSettings: ResumeSettings;
  readonly schedule?: Schedule | undefined;
}

/** Key of the training's state in a checkpoint's metadata. */
export const TRAINING_KEY = "shadegrad.training";

/** Name of the last tensor of a training checkpoint: 32 bytes, the SHA-256 of all others and of the metadata. */
const DIGEST = "sha256";

/**
 * Chunks of one safetensors file with model, optimizer, loss scale and progress, for {@link readTraining}: `save` writes
 * them to a path, `toBytes` gathers them for a download. `notes` are kept in the metadata.
 *
 * @throws NotFiniteError during writing, at a NaN or an infinity: such a training cannot be resumed.
 */
export function writeTraining(
  { model, optimizer, scaler, lookahead }: Trained,
  { rates = [], ...state }: TrainingState,
  notes: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const epsilons = Object.fromEntries([...batchNormsOf(model)].map(([name, { eps }]) => [name, eps]));
  const metadata = { ...notes, [TRAINING_KEY]: JSON.stringify({ ...state, epsilons }) };
  const digest = new Digest();
  const tensors = new Map<string, Writable>();
  const put = (prefix: string, entries: State) => {
    for (const [name, value] of entries) {
      const full = `${prefix}.${name}`;
      tensors.set(full, digested(full, finite(name, value), digest));
    }
  };
  put("model", stateDict(model));
  put("optimizer", optimizer.stateDict());
  if (scaler) put("scaler", scaler.stateDict());
  if (lookahead) put("lookahead", lookahead.stateDict());
  const given = { dtype: "f64", shape: [rates.length], data: Float64Array.from(rates) } as const;
  tensors.set("rates", digested("rates", given, digest));
  // The only tensor of bytes: the file has it last, when all others were digested.
  const data = async () => bytesOfHex(await digest.finish(Object.entries(metadata)));
  tensors.set(DIGEST, { dtype: "u8", shape: [32], data });
  return writeSafetensors(tensors, metadata);
}

/** A tensor of a training holds a NaN or an infinity. */
export class NotFiniteError extends Error {
  constructor(tensor: string, value: number) {
    super(`${tensor} became ${value}`);
  }
}

/** The same tensor, checked when it is written. */
function finite(name: string, value: Tensor | Writable): Writable {
  const { dtype, shape } = value;
  const data = value instanceof Tensor ? () => value.data() : value.data;
  return {
    dtype,
    shape,
    async data() {
      const numbers = typeof data === "function" ? await data() : data;
      const odd = notFinite(numbers);
      if (odd !== undefined) throw new NotFiniteError(name, odd);
      return numbers;
    },
  };
}

/** The first NaN or infinity among floats. */
function notFinite(numbers: HostTensor["data"]): number | undefined {
  if (!(numbers instanceof Float32Array || numbers instanceof Float64Array)) return undefined;
  return (numbers as Float32Array).find((number) => !Number.isFinite(number));
}

/** The same tensor, added to the digest when it is written. */
function digested(name: string, { dtype, shape, data }: Writable, digest: Digest): Writable {
  return {
    dtype,
    shape,
    async data() {
      const numbers = typeof data === "function" ? await data() : data;
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      await digest.add(name, { dtype, shape, bytes });
      return numbers;
    },
  };
}

const bytesOfHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));

/**
 * Load a training checkpoint into model, optimizer, loss scale and generator.
 *
 * @throws FormatError if it is no training checkpoint, was changed since it was written, or does not fit; SettingsError if
 * it was made with other `resumeSettings`, or other rates than `schedule` gives for its steps, with all differences. Nothing
 * is changed then.
 */
export async function readTraining(input: SourceInput, target: ResumeTarget): Promise<TrainingProgress> {
  const path = typeof input === "string" ? input : "the file";
  const file = await openSafetensors(input).catch((error: Error) => {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`resume: ${path} is damaged, and cannot be resumed. ${error.message}`, {
      cause: error,
    });
  });
  try {
    const state = stateOf(file, path);
    const { rates, ...parts } = await readParts(file, path);
    const { resumeSettings, schedule } = target;
    const saved = { resumeSettings: state.resumeSettings, rates };
    const differences = differencesOf(saved, { resumeSettings, schedule });
    if (differences.length > 0) throw new SettingsError(path, differences, state.settings ?? {});
    if (rates.length > 0 && rates.length !== state.progress.step) {
      throw new FormatError(
        `resume: ${path} has ${state.progress.step} steps done, but the rates of ${rates.length}.`,
      );
    }
    load(target, parts);
    for (const [name, norm] of batchNormsOf(target.model)) norm.eps = state.epsilons?.[name] ?? norm.eps;
    Object.assign(target.generator, state.generator);
    return state.progress;
  } finally {
    await file.close();
  }
}

function stateOf({ metadata }: SafetensorsFile, path: string): ReadState {
  const json = metadata.get(TRAINING_KEY);
  if (json !== undefined) return parseTrainingState(json, path);
  throw new FormatError(
    `resume: ${path} holds weights, but no state of a training. Load it into the model and start a training with that.`,
  );
}

type Part = "model" | "optimizer" | "scaler" | "lookahead";
type Parts = Record<Part, Map<string, HostTensor>>;

/** All tensors of the file, once their digest is compared. */
async function readParts(file: SafetensorsFile, path: string): Promise<Parts & { rates: ArrayLike<number> }> {
  const damaged = (what: string) =>
    new FormatError(`resume: ${path} is damaged, and cannot be resumed: ${what}.`);
  const parts: Parts = { model: new Map(), optimizer: new Map(), scaler: new Map(), lookahead: new Map() };
  let rates: ArrayLike<number> = [];
  let noted = "";
  const digest = new Digest();
  for await (const [name, entry] of file) {
    const tensor = await entry.read();
    const { dtype, shape, data } = tensor;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (name === DIGEST) noted = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    else await digest.add(name, { dtype, shape, bytes });
    const odd = notFinite(data);
    if (odd !== undefined) throw damaged(`${name} holds ${odd}`);
    const [, part, rest] = /^(model|optimizer|scaler|lookahead)\.(.*)$/.exec(name) ?? [];
    if (part) parts[part as Part].set(rest!, tensor);
    if (name === "rates" && data instanceof Float64Array) rates = data;
  }
  const found = await digest.finish(file.metadata);
  if (!noted) throw damaged("it has no checksum");
  if (found !== noted) throw damaged(`its numbers have the checksum ${found}, but it notes ${noted}`);
  return { ...parts, rates };
}

/** Load all parts or, where one does not fit, none. */
function load(target: ResumeTarget, parts: Parts): void {
  const { model, optimizer, scaler, lookahead, generator } = target;
  const before = new Snapshot(target, generator);
  try {
    loadStateDict(model, parts.model);
    optimizer.loadStateDict(parts.optimizer);
    scaler?.loadStateDict(parts.scaler);
    lookahead?.loadStateDict(parts.lookahead);
  } catch (error) {
    before.restore();
    throw error;
  } finally {
    before.dispose();
  }
}
