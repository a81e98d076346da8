import { FormatError } from "@shadegrad/tensor";
import type { HostTensor } from "@shadegrad/tensor/formats";
import type { Schedule } from "@shadegrad/tensor/optim";
import type { Dataset } from "../data/index.ts";
import { ResNet } from "../zoo.ts";
import { deviceOf } from "./evaluate.ts";
import type { Options } from "./options.ts";
import type { Settings } from "./records.ts";

/** What a checkpoint was made with, and must be gone on with, for the weights to be those of one uninterrupted run. */
export type Fixed = Settings;

/** A setting with which a training was begun, and with which it would go on. */
export interface Difference {
  readonly name: string;
  readonly saved: Settings[string] | undefined;
  readonly given: Settings[string] | undefined;
}

/** A checkpoint was made with other settings than those that are given now. */
export class SettingsError extends FormatError {
  readonly differences: readonly Difference[];
  /** All that was noted of the training when it began. */
  readonly settings: Settings;

  constructor(path: string, differences: readonly Difference[], settings: Settings) {
    const list = differences.map(({ name, saved, given }) => `${name} ${told(saved)}, now ${told(given)}`);
    super(
      `resume: ${path} was made with other settings: ${list.join("; ")}. Give the same ones, or begin another training with its weights.`,
    );
    this.differences = differences;
    this.settings = settings;
  }
}

/** As a message shows it. */
export const told = (value: Difference["saved"]): string => (value === undefined ? "none" : String(value));

/** Everything that decides, step by step, what the weights become; rates are compared by themselves. */
export async function fixedOf(options: Options, data: Dataset): Promise<Fixed> {
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
    // What is merged rounds otherwise.
    ...(options.rateFactors && { rateFactors: options.rateFactors.join() }),
    ...(options.lookahead && { lookahead: `every ${options.lookahead.every}` }),
    ...(options.onDevice && { onDevice: true }),
    ...(compile !== undefined && { compile }),
    // What says nothing of it was f32.
    ...(precision !== "f32" && { precision }),
  };
}

/**
 * Where settings disagree, and the first step whose learning rate does. What belongs to a net or an optimizer of another
 * kind is left out.
 */
export function differencesOf(
  saved: { readonly fixed: Fixed; readonly rates: ArrayLike<number> },
  given: { readonly fixed: Fixed; readonly schedule: Schedule | undefined },
): Difference[] {
  const names = [...new Set([...Object.keys(saved.fixed), ...Object.keys(given.fixed)])];
  const differing = names.filter((name) => saved.fixed[name] !== given.fixed[name]);
  const found = differing
    .filter((name) => !name.includes(".") || !differing.includes(name.split(".")[0]!))
    .map((name): Difference => ({ name, saved: saved.fixed[name], given: given.fixed[name] }));
  const { schedule } = given;
  if (!schedule) return found;
  const rates = Array.from(saved.rates);
  const step = rates.findIndex((rate, step) => !close(rate, schedule(step)));
  return step < 0
    ? found
    : [...found, { name: `rate of step ${step + 1}`, saved: rates[step], given: schedule(step) }];
}

/** Equal but for how a machine rounds a cosine. */
const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-12 * Math.abs(a);

function netOf({ options }: ResNet): Fixed {
  const { nBlocks, nChannels, bottlenecks, classes: _, ...rest } = options;
  const inside = bottlenecks ? `, bottlenecks of ${bottlenecks}` : "";
  return {
    net: `blocks ${nBlocks}, channels ${nChannels}${inside}`,
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [`net.${name}`, String(value)])),
  };
}

/** Its kind and its options; of the rate only that a schedule sets it, if one does. */
function optimizerOf({ optimizer, schedule }: Options): Fixed {
  const options = [...optimizer.stateDict()].filter(([name]) => name.startsWith("groups."));
  const values = options.map(([name, value]) => {
    const scheduled = schedule && name.endsWith(".lr");
    const option = name.replace(/^groups\.(0\.)?/, "");
    return [`optimizer.${option}`, scheduled ? "by a schedule" : String((value as HostTensor).data)];
  });
  return { optimizer: optimizer.constructor.name, ...Object.fromEntries(values) };
}

const LOOKED_AT = 16;

/** A checksum of some of the images and their labels, spread over all of them. */
async function digest(data: Dataset): Promise<string> {
  const count = Math.min(LOOKED_AT, data.length);
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
  // A data set may vary its images by itself, and then they tell nothing.
  const [first, again] = [await hash(1), await hash(1)];
  return first === again ? hash(count) : "varying";
}
