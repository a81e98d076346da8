import { FormatError } from "@shadegrad/tensor";
import type { HostTensor } from "@shadegrad/tensor/formats";
import type { Schedule } from "@shadegrad/tensor/optim";
import type { Dataset } from "../data/index.ts";
import { ResNet } from "../zoo.ts";
import { deviceOf } from "./evaluate.ts";
import type { Options } from "./options.ts";
import type { Settings } from "./records.ts";

/** Settings that must be the same at a resume, for the weights to be those of one uninterrupted run. */
export type ResumeSettings = Settings;

/** A setting of the checkpoint, and its value at the resume. */
export interface Difference {
  readonly name: string;
  readonly saved: Settings[string] | undefined;
  readonly given: Settings[string] | undefined;
}

/** A checkpoint was made with other settings than those that are given at the resume. */
export class SettingsError extends FormatError {
  readonly differences: readonly Difference[];
  /** All settings that the checkpoint notes. */
  readonly settings: Settings;

  constructor(path: string, differences: readonly Difference[], settings: Settings) {
    const list = differences.map(({ name, saved, given }) => `${name} ${show(saved)}, now ${show(given)}`);
    super(
      `resume: ${path} was made with other settings: ${list.join("; ")}. Give the same ones, or start another training with its weights.`,
    );
    this.differences = differences;
    this.settings = settings;
  }
}

/** A value, for a message. */
const show = (value: Difference["saved"]): string => (value === undefined ? "none" : String(value));

/** All settings on which the weights depend; learning rates are compared separately. */
export async function resumeSettingsOf(options: Options, data: Dataset): Promise<ResumeSettings> {
  const { model, batchSize, seed, labelSmoothing, augment, crop, compile } = options;
  const precision = options.precision ?? deviceOf(model).precision;
  const { pad = 0, flip = false, edge = "mean" } = augment ?? {};
  const padded = pad > 0 && `pad ${pad}${edge === "mean" ? "" : ` ${edge}`}`;
  const varied = [padded, flip && (flip === true ? "flip" : `flip ${flip}`)].filter(Boolean).join(", ");
  const normalization = options.normalization ?? data.normalization ?? false;
  return {
    images: data.length,
    shape: data.shape.join(" × "),
    classes: data.classes.length,
    pixels: await digest(data),
    ...(model instanceof ResNet && netOf(model)),
    seed,
    batchSize,
    labelSmoothing,
    augment: varied || "none",
    crop: crop === undefined ? "none" : `${crop} ${augment ? "at random" : "from the centre"}`,
    normalization: normalization ? `mean ${normalization.mean}, std ${normalization.std}` : "none",
    ...optimizerOf(options),
    ...(options.rateFactors && { rateFactors: options.rateFactors.join() }),
    ...(options.lookahead && { lookahead: `every ${options.lookahead.every}` }),
    ...(options.onDevice && { onDevice: true }),
    // Merged launches round differently.
    ...(compile !== undefined && { compile }),
    // Absent means f32.
    ...(precision !== "f32" && { precision }),
  };
}

/**
 * All settings that differ, and the first step whose learning rate does. Options of another kind of net or optimizer are
 * left out.
 */
export function differencesOf(
  saved: { readonly resumeSettings: ResumeSettings; readonly rates: ArrayLike<number> },
  given: { readonly resumeSettings: ResumeSettings; readonly schedule: Schedule | undefined },
): Difference[] {
  const [before, now] = [saved.resumeSettings, given.resumeSettings];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => before[name] !== now[name]);
  const found = differing
    .filter((name) => !name.includes(".") || !differing.includes(name.split(".")[0]!))
    .map((name): Difference => ({ name, saved: before[name], given: now[name] }));
  const { schedule } = given;
  if (!schedule) return found;
  const rates = Array.from(saved.rates);
  const step = rates.findIndex((rate, step) => !close(rate, schedule(step)));
  return step < 0
    ? found
    : [...found, { name: `rate of step ${step + 1}`, saved: rates[step], given: schedule(step) }];
}

/** Equal up to the rounding of a cosine, which differs between machines. */
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.abs(a);

function netOf({ options }: ResNet): ResumeSettings {
  const { nBlocks, nChannels, bottlenecks, classes: _, ...rest } = options;
  const inside = bottlenecks ? `, bottlenecks of ${bottlenecks}` : "";
  return {
    net: `blocks ${nBlocks}, channels ${nChannels}${inside}`,
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [`net.${name}`, String(value)])),
  };
}

/** Kind and options of the optimizer; a rate that a schedule sets is noted as such. */
function optimizerOf({ optimizer, schedule }: Options): ResumeSettings {
  const options = [...optimizer.stateDict()].filter(([name]) => name.startsWith("groups."));
  const values = options.map(([name, value]) => {
    const scheduled = schedule && name.endsWith(".lr");
    const option = name.replace(/^groups\.(0\.)?/, "");
    return [`optimizer.${option}`, scheduled ? "by a schedule" : String((value as HostTensor).data)];
  });
  return { optimizer: optimizer.constructor.name, ...Object.fromEntries(values) };
}

const DIGESTED = 16;

/** A checksum of 16 images and their labels, spread evenly over the data. */
async function digest(data: Dataset): Promise<string> {
  const count = Math.min(DIGESTED, data.length);
  const hash = async (count: number) => {
    let state = 0x811c9dc5; // FNV-1a
    const add = (byte: number) => (state = Math.imul(state ^ byte, 0x01000193));
    for (let k = 0; k < count; k++) {
      const { image, label } = await data.read(Math.floor((k * data.length) / count));
      new Uint8Array(image.buffer, image.byteOffset, image.byteLength).forEach(add);
      add(label);
    }
    return (state >>> 0).toString(16).padStart(8, "0");
  };
  // A data set that augments its own images has no checksum.
  const [first, again] = [await hash(1), await hash(1)];
  return first === again ? hash(count) : "varying";
}
