import { join } from "node:path";
import type { Difference, Settings, SettingsError } from "@shadegrad/resnet";
import { columns } from "./bars.ts";

const STEPS = "steps in all";

/** Option of each setting of a training. */
const OPTIONS: Readonly<Record<string, string>> = {
  model: "--model",
  newHead: "--new-head",
  freeze: "--freeze",
  shortcut: "--shortcut",
  dataset: "--dataset",
  limit: "--limit",
  validation: "--validation",
  recipe: "--recipe",
  steps: STEPS,
  batchSize: "--batch",
  optimizer: "--optimizer",
  lr: "--lr",
  weightDecay: "--weight-decay",
  schedule: "--schedule",
  labelSmoothing: "--label-smoothing",
  seed: "--seed",
  precision: "--precision",
};

/** Settings of the command that can cause a difference. */
const CAUSES: Readonly<Record<string, readonly string[]>> = {
  net: ["model"],
  "net.shortcut": ["shortcut"],
  images: ["dataset", "limit", "validation"],
  pixels: ["dataset", "limit", "validation"],
  classes: ["dataset"],
  shape: ["model", "dataset"],
  normalization: ["dataset"],
  "optimizer.lr": ["lr"],
  "optimizer.weightDecay": ["recipe", "weightDecay"],
  "optimizer.momentum": ["recipe"],
  "optimizer.nesterov": ["recipe"],
  rate: ["recipe", "schedule", "lr", "steps"],
};

/** Words for settings without an option. */
const WORDS: Readonly<Record<string, string>> = {
  augment: "--no-augment",
  pixels: "checksum of the images",
  shape: "shape of the images",
};

/** The options in which a checkpoint and a resume differ, and the ways out. */
export function disagreement({ differences, settings }: SettingsError, given: Settings, out: string): string {
  const rows = new Map<string, string>();
  const add = (name: string, saved: Difference["saved"], now: Difference["saved"]) =>
    rows.set(name, `${written(saved)}, now ${written(now)}`);
  for (const { name, saved, given: now } of differences) {
    const kind = /^rate/.test(name) ? "rate" : name;
    const causes = (CAUSES[kind] ?? [kind]).filter(
      (cause) => OPTIONS[cause] && String(settings[cause]) !== String(given[cause]),
    );
    for (const cause of causes) add(OPTIONS[cause]!, settings[cause], given[cause]);
    if (causes.length === 0 || kind === "rate") add(WORDS[name] ?? name, saved, now);
  }
  return [
    `${out} was started with other settings:`,
    columns(
      [...rows].map(([name, values]) => [`  ${name}`, values]),
      Number.POSITIVE_INFINITY, // the terminal breaks messages
    ),
    "Give the same ones to continue.",
    ...(rows.has(STEPS) ? ["With --schedule constant, a training can be made longer at any time."] : []),
    "For others, name another folder with --out. To start there from these weights:",
    `  --weights ${join(out, "model.safetensors")}`,
  ].join("\n");
}

const written = (value: Difference["saved"]): string => {
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  return String(value ?? "none");
};
