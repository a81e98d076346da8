import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import type { Problem } from "../app/messages.ts";
import { change, state } from "../app/state.ts";
import { type Engine, EngineError } from "../engine/engine.ts";
import type { TrainBegin, TrainSettings, TrainTold } from "../engine/protocol.ts";
import { emptyCurve, type GrowingCurve, labelOf, type TrainState } from "./state.ts";

/** Trainings of before that are drawn beside the one that runs. */
const EARLIER = 3;
/** Points of a curve; with more, every second one goes. */
const POINTS = 1200;

/** What a visitor can do in the training view. */
export class Training {
  readonly #engine: Engine;
  /** A training that is given up may still tell of itself. */
  #generation = 0;
  /** Where the training was when the page was covered. */
  #left: { readonly generation: number; readonly step: number; readonly loss: number } | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    document.addEventListener("visibilitychange", () => this.#seen(!document.hidden));
  }

  /** Change what the next training begins with. */
  choose(part: Partial<TrainSettings>): void {
    set({ settings: { ...state.train.settings, ...part } });
  }

  /** Go on until paused, or, first, begin. */
  start = (): Promise<void> => this.#run(Number.MAX_SAFE_INTEGER);

  /** One step. */
  step = (): Promise<void> => this.#run(state.train.step + 1);

  pause = async (): Promise<void> => {
    set({ is: "pausing", missed: undefined });
    await this.#engine.call("trainPause", null).catch(() => {});
  };

  /** Give this training up; its curve stays to compare with. */
  reset = async (): Promise<void> => {
    this.#generation++;
    const { begun, curve, earlier } = state.train;
    const kept =
      begun && curve.steps.length > 1 ? [{ label: labelOf(begun.settings), curve }, ...earlier] : earlier;
    set({
      ...FRESH,
      curve: emptyCurve(),
      points: state.train.points + 1,
      earlier: kept.slice(0, EARLIER),
      test: undefined,
    });
    await this.#engine.call("trainPause", null).catch(() => {});
  };

  /** A file from which this training can go on, at another time or elsewhere. */
  download = async (): Promise<void> => {
    try {
      const { curve, step } = state.train;
      const blob = await this.#engine.call("trainCheckpoint", { curve });
      download(blob, `shadegrad-step-${step}.safetensors`);
    } catch (error) {
      set({ problem: problemOf(error, undefined) });
    }
  };

  /** Go on from such a file. */
  async resume(file: File): Promise<void> {
    this.#generation++;
    set({ ...FRESH, note: undefined });
    await this.#begin({ from: file });
  }

  /** The device was lost: on the new one, go on from the last copy. */
  async recover(): Promise<void> {
    const { begun, is, curve, step } = state.train;
    if (!begun) return;
    this.#generation++;
    set({ is: "getting ready", problem: undefined });
    if (!(await this.#begin({ from: "last" }))) return;
    const from = state.train.step;
    cut(curve, from);
    const text = `It had come to step ${step}, and goes on from step ${from}, where the last copy is from.`;
    set({ curve, points: state.train.points + 1, note: { title: "The training was saved", text } });
    if (is === "running") await this.start();
  }

  async #run(steps: number): Promise<void> {
    if (state.device.is !== "open" && !(await openDevice(this.#engine))) return;
    if (!state.train.begun && !(await this.#begin({ settings: state.train.settings }))) return;
    const generation = this.#generation;
    set({ is: "running", problem: undefined });
    try {
      const tell = (told: TrainTold) => {
        if (generation === this.#generation) this.#told(told);
      };
      await this.#engine.call("trainRun", { steps }, { tell });
      if (generation === this.#generation) set({ is: "idle", preparing: undefined });
    } catch (error) {
      if (generation !== this.#generation) return;
      // What becomes of a training whose device is lost is decided where the loss is told.
      const isLost = error instanceof EngineError && error.isDevice;
      set({ is: isLost ? "running" : "idle", preparing: undefined });
      if (!isLost) set({ problem: problemOf(error, undefined) });
    }
  }

  /** Whether it has begun. */
  async #begin(ask: TrainBegin): Promise<boolean> {
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation;
    set({ is: "getting ready", problem: undefined, loading: { phase: "fetch", bytes: 0, of: 0 } });
    try {
      const begun = await this.#engine.call("trainBegin", ask, {
        tell: (loading) => {
          if (isCurrent()) set({ loading });
        },
      });
      if (!isCurrent()) return false;
      const isNew = !("from" in ask && ask.from === "last");
      set({
        begun,
        settings: begun.settings,
        is: "idle",
        loading: undefined,
        step: begun.step,
        test: begun.test,
        ...(isNew && { curve: structuredClone(begun.curve) as GrowingCurve, points: state.train.points + 1 }),
      });
      return true;
    } catch (error) {
      if (!isCurrent()) return false;
      const retry = "from" in ask && ask.from !== "last" ? undefined : () => void this.start();
      set({ ...FRESH, problem: problemOf(error, retry) });
      return false;
    }
  }

  /** The worker goes on while the page is covered; what it did is told afterwards. */
  #seen(isSeen: boolean): void {
    const { is, step, latest } = state.train;
    const left = this.#left;
    this.#left = undefined;
    if (is !== "running" || !latest) return;
    if (!isSeen) {
      this.#left = { generation: this.#generation, step, loss: latest.loss };
      set({ missed: undefined });
    } else if (left?.generation === this.#generation && step > left.step) {
      const losses = `the loss was ${left.loss.toFixed(3)} before, and ${latest.loss.toFixed(3)} after`;
      set({ missed: `In the background it did ${step - left.step} steps; ${losses}.` });
    }
  }

  #told(told: TrainTold): void {
    const { curve, points } = state.train;
    if (told.kind === "preparing") {
      set({ preparing: told.done < told.of ? { done: told.done, of: told.of } : undefined });
    } else if (told.kind === "test") {
      curve.test.steps.push(told.step);
      curve.test.accuracy.push(told.accuracy);
      set({ judged: told, points: points + 1, preparing: undefined });
    } else {
      curve.steps.push(told.step);
      curve.loss.push(told.loss);
      curve.accuracy.push(told.accuracy);
      thin(curve);
      set({ step: told.step, latest: told, points: points + 1, preparing: undefined });
    }
  }
}

const FRESH: Partial<TrainState> = {
  begun: undefined,
  is: "idle",
  loading: undefined,
  preparing: undefined,
  step: 0,
  latest: undefined,
  judged: undefined,
  problem: undefined,
  note: undefined,
  missed: undefined,
};

/** Change this view's part of the state. */
export const set = (part: Partial<TrainState>): void => change({ train: { ...state.train, ...part } });

function problemOf(error: unknown, retry: (() => void) | undefined): Problem {
  const text = (error as Error).message;
  if (error instanceof EngineError && error.isFormat)
    return { title: "This file cannot be gone on from", text };
  return { title: "The training stopped", text, retry };
}

/** Keep what came up to a step. */
function cut(curve: GrowingCurve, step: number): void {
  const until = (steps: readonly number[]) => steps.filter((at) => at <= step).length;
  const [points, looks] = [until(curve.steps), until(curve.test.steps)];
  for (const list of [curve.steps, curve.loss, curve.accuracy]) list.length = points;
  for (const list of [curve.test.steps, curve.test.accuracy]) list.length = looks;
}

/** Leave out every second point of the older half, once there are many. */
function thin(curve: GrowingCurve): void {
  if (curve.steps.length < POINTS) return;
  const stays = (_: number, i: number) => i > POINTS / 2 || i % 2 === 0;
  curve.steps = curve.steps.filter(stays);
  curve.loss = curve.loss.filter(stays);
  curve.accuracy = curve.accuracy.filter(stays);
}
