import { checkAmount, checkChoice, checkNumbers, checkOption, checkOptions, checkShare } from "../errors.ts";

/**
 * A learning rate for each step, counted from 0: `optimizer.lr = schedule(step)`.
 *
 * A step may be an epoch, a batch, or a fraction of either: whatever the schedule was made for.
 */
export type Schedule = (step: number) => number;

export interface CosineOptions {
  /** The rate of the first step. */
  lr: number;
  /** Number of steps after which `min` is reached; it stays there. */
  steps: number;
  min?: number;
}

/** Down from `lr` to `min` along half a cosine, https://arxiv.org/abs/1608.03983. */
export function cosine(options: CosineOptions): Schedule {
  checkOptions("cosine", options, ["lr", "steps", "min"]);
  const { lr, steps, min = 0 } = options;
  checkAmount("cosine", "lr", lr);
  checkAmount("cosine", "min", min);
  checkSteps("cosine", "steps", steps);
  return (step) => halfCosine(lr, min, step / steps);
}

export interface MultiStepOptions {
  lr: number;
  /** Steps from which on the rate is multiplied once more; ascending. */
  milestones: readonly number[];
  gamma?: number;
}

/** `lr`, times `gamma` at each milestone. */
export function multiStep(options: MultiStepOptions): Schedule {
  checkOptions("multiStep", options, ["lr", "milestones", "gamma"]);
  const { lr, milestones, gamma = 0.1 } = options;
  checkAmount("multiStep", "lr", lr);
  checkAmount("multiStep", "gamma", gamma);
  for (const [i, step] of milestones.entries()) checkNumbers("multiStep", { [`milestones[${i}]`]: step });
  if (milestones.some((step, i) => !(step > (milestones[i - 1] ?? -1)))) {
    throw new RangeError(`multiStep: milestones are [${milestones}], not ascending numbers ≥ 0.`);
  }
  return (step) => lr * gamma ** milestones.filter((milestone) => milestone <= step).length;
}

export interface ExponentialOptions {
  /** The rate of the first step. */
  lr: number;
  /** Factor of each step after it. */
  gamma: number;
}

/** `lr · gamma^step`; PyTorch's ExponentialLR. */
export function exponential(options: ExponentialOptions): Schedule {
  checkOptions("exponential", options, ["lr", "gamma"]);
  const { lr, gamma } = options;
  checkAmount("exponential", "lr", lr);
  checkAmount("exponential", "gamma", gamma);
  return (step) => lr * gamma ** step;
}

export interface OneCycleOptions {
  /** The highest rate. */
  lr: number;
  /** Steps of the whole cycle. */
  steps: number;
  /** The part of the steps that leads up to the highest rate. */
  pctStart?: number;
  /** The first rate is `lr` divided by this. */
  divFactor?: number;
  /** The last rate is the first one divided by this. */
  finalDivFactor?: number;
  anneal?: "cosine" | "linear";
}

const ONE_CYCLE_OPTIONS = ["lr", "steps", "pctStart", "divFactor", "finalDivFactor", "anneal"];

/** Up to `lr`, then down to almost nothing, https://arxiv.org/abs/1708.07120; PyTorch's OneCycleLR in two phases. */
export function oneCycle(options: OneCycleOptions): Schedule {
  checkOptions("oneCycle", options, ONE_CYCLE_OPTIONS);
  const { lr, steps, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, anneal = "cosine" } = options;
  checkAmount("oneCycle", "lr", lr);
  checkSteps("oneCycle", "steps", steps);
  checkShare("oneCycle", "pctStart", pctStart);
  for (const [name, value] of Object.entries({ divFactor, finalDivFactor })) {
    checkNumbers("oneCycle", { [name]: value });
    checkOption("oneCycle", name, value, value > 0, "above 0");
  }
  checkChoice("oneCycle", "anneal", anneal, ["cosine", "linear"]);
  const between = anneal === "linear" ? line : halfCosine;
  const first = lr / divFactor;
  const peak = pctStart * steps - 1;
  const last = steps - 1;
  return (step) =>
    step <= peak
      ? between(first, lr, peak > 0 ? step / peak : 1)
      : between(lr, first / finalDivFactor, (step - peak) / (last - peak));
}

export interface WarmupOptions {
  /** Number of steps. */
  steps: number;
  /** The first step's part of the rate; 1 / (steps + 1) unless given. */
  start?: number;
}

/** Rise in a line to the first rate of another schedule, which then begins. */
export function warmup(schedule: Schedule, options: WarmupOptions): Schedule {
  checkOptions("warmup", options, ["steps", "start"]);
  const { steps } = options;
  checkSteps("warmup", "steps", steps);
  const { start = 1 / (steps + 1) } = options;
  checkAmount("warmup", "start", start);
  return (step) => (step < steps ? schedule(0) * line(start, 1, step / steps) : schedule(step - steps));
}

const clamp = (at: number): number => Math.min(Math.max(at, 0), 1);

const line = (from: number, to: number, at: number): number => from + (to - from) * clamp(at);

const halfCosine = (from: number, to: number, at: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * clamp(at)));

function checkSteps(schedule: string, name: string, value: number): void {
  checkNumbers(schedule, { [name]: value });
  checkOption(schedule, name, value, value > 0 && value < Infinity, "a number above 0");
}
