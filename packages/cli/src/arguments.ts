import { extname } from "node:path";
import { zoo } from "@shadegrad/resnet";
import { InvalidArgumentError, Option } from "commander";
import { suggestion } from "./suggestion.ts";

export type ModelName = keyof typeof zoo;

/** The nets of the zoo, by number of layers. */
export const MODELS = Object.keys(zoo).sort(
  (a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)) || a.localeCompare(b, "en"),
) as readonly ModelName[];

/** A parser of whole numbers ≥ `least`. */
export const whole =
  (least = 1) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number ≥ ${least}.`);
  };

/** A number ≥ 0. */
export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() && value >= 0 && value < Number.POSITIVE_INFINITY) return value;
  throw new InvalidArgumentError("It must be a number ≥ 0.");
}

/** A number from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a number from 0 to 1.");
}

/** A parser of file names that end in `ending` or have no ending. */
export const named =
  (ending: string) =>
  (path: string): string => {
    const found = extname(path);
    if (path && (!found || found.toLowerCase() === ending)) return path;
    throw new InvalidArgumentError(`The output is ${ending}, and its name must end so.`);
  };

/** One number per channel: `0.5,0.5,0.5`. */
export function triple(text: string): number[] {
  const values = text.split(",").map((part) => (part.trim() ? Number(part) : Number.NaN));
  if (values.length === 3 && values.every(Number.isFinite)) return values;
  throw new InvalidArgumentError("It must be three numbers, as in 0.5,0.5,0.5.");
}

export const modelOption = (description = "net of the zoo"): Option =>
  new Option("--model <name>", `${description}: ${MODELS.join(" ")}`).argParser(model);

/** @throws InvalidArgumentError with all names. */
export function model(text: string): ModelName {
  if ((MODELS as readonly string[]).includes(text)) return text as ModelName;
  const near = suggestion(text, MODELS);
  throw new InvalidArgumentError(`${near ? `${near} ` : ""}There are ${MODELS.join(" ")}.`);
}

export const weightsOption = (description: string): Option =>
  new Option(
    "--weights <file>",
    `safetensors, PyTorch's .pt .pth .th, or TensorFlow.js model.json; ${description}`,
  );

export const precisionOption = (
  description = "precision of products: f32, or f16 where the adapter has it. f32 if absent",
): Option => new Option("--precision <type>", description).choices(["f32", "f16"]);

export const shortcutOption = (
  description = "shortcuts where channels change, if the weights leave it open",
): Option =>
  new Option("--shortcut <kind>", description).choices(["projection", "pad-both", "pad-end", "none"]);
