import { openDevice } from "../app/device.ts";
import { download } from "../app/download.ts";
import type { Problem } from "../app/messages.ts";
import { change, state } from "../app/state.ts";
import type { TrainBegin, TrainMessage, TrainSettings } from "../worker-client/messages/train.ts";
import { type WorkerClient, WorkerError } from "../worker-client/worker-client.ts";
import { emptyCurve, type GrowingCurve, labelOf, type TrainState } from "./state.ts";

/** Number of earlier trainings that are drawn with the current one. */
const EARLIER = 3;
/** Most points of a curve; beyond, every second point of the older half is dropped. */
const POINTS = 1200;

/** Actions of the Train view. */
export class Training {
  readonly #client: WorkerClient;
  /** Counts trainings: messages of an earlier one are dropped. */
  #generation = 0;
  /** The step of the latest checkpoint that was downloaded or loaded. */
  #saved = 0;
  /** Step and loss at the moment when the tab was hidden. */
  #left: { readonly generation: number; readonly step: number; readonly loss: number } | undefined;

  constructor(client: WorkerClient) {
    this.#client = client;
    document.addEventListener("visibilitychange", () => this.#seen(!document.hidden));
    addEventListener("beforeunload", (event) => {
      const { begun, step, fast } = state.train;
      const isLost = (begun && step > this.#saved) || fast.is === "running";
      if (isLost) event.preventDefault(); // the browser asks
    });
  }

  /** Change the settings of the next training. */
  choose(part: Partial<TrainSettings>): void {
    set({ settings: { ...state.train.settings, ...part } });
  }

  /** Train until paused. The first call begins the training. */
  start = (): Promise<void> => this.#run(Number.MAX_SAFE_INTEGER);

  /** Train for one step. */
  step = (): Promise<void> => this.#run(state.train.step + 1);

  pause = async (): Promise<void> => {
    set({ is: "pausing", missed: undefined });
    await this.#client.call("trainPause", null).catch(() => {});
  };

  /** End this training; its curve stays for comparison. */
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
    await this.#client.call("trainPause", null).catch(() => {});
  };

  /** Download a checkpoint. */
  download = async (): Promise<void> => {
    try {
      const { curve, step } = state.train;
      const blob = await this.#client.call("trainCheckpoint", { curve });
      download(blob, `shadegrad-step-${step}.safetensors`);
      this.#saved = step;
    } catch (error) {
      set({ problem: problemOf(error, undefined) });
    }
  };

  /** Resume from a checkpoint. */
  async resume(file: File): Promise<void> {
    this.#generation++;
    set({ ...FRESH, note: undefined });
    await this.#begin({ from: file });
  }

  /** Resume from the last copy, on a new device. */
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
    if (state.device.is !== "open" && !(await openDevice(this.#client))) return;
    if (!state.train.begun && !(await this.#begin({ settings: state.train.settings }))) return;
    const generation = this.#generation;
    set({ is: "running", problem: undefined });
    try {
      const onProgress = (message: TrainMessage) => {
        if (generation === this.#generation) this.#receive(message);
      };
      await this.#client.call("trainRun", { steps }, { onProgress });
      if (generation === this.#generation) set({ is: "idle", preparing: undefined });
    } catch (error) {
      if (generation !== this.#generation) return;
      // After a lost device, the notice `lost` decides: see `recover`.
      const isLost = error instanceof WorkerError && error.isDevice;
      set({ is: isLost ? "running" : "idle", preparing: undefined });
      if (!isLost) set({ problem: problemOf(error, undefined) });
    }
  }

  /** Begin a training. → false if that failed, or another training was begun meanwhile */
  async #begin(ask: TrainBegin): Promise<boolean> {
    const generation = this.#generation;
    const isCurrent = () => generation === this.#generation;
    set({ is: "getting ready", problem: undefined, loading: { phase: "fetch", bytes: 0, of: 0 } });
    try {
      const begun = await this.#client.call("trainBegin", ask, {
        onProgress: (loading) => {
          if (isCurrent()) set({ loading });
        },
      });
      if (!isCurrent()) return false;
      const isNew = !("from" in ask && ask.from === "last");
      if (isNew) this.#saved = begun.step;
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

  /** Report the steps that the worker did while the tab was hidden, once it is shown again. */
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

  #receive(message: TrainMessage): void {
    const { curve, points } = state.train;
    if (message.kind === "preparing") {
      set({ preparing: message.done < message.of ? { done: message.done, of: message.of } : undefined });
    } else if (message.kind === "test") {
      curve.test.steps.push(message.step);
      curve.test.accuracy.push(message.accuracy);
      set({ validated: message, points: points + 1, preparing: undefined });
    } else {
      curve.steps.push(message.step);
      curve.loss.push(message.loss);
      curve.accuracy.push(message.accuracy);
      thin(curve);
      set({ step: message.step, latest: message, points: points + 1, preparing: undefined });
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
  validated: undefined,
  problem: undefined,
  note: undefined,
  missed: undefined,
};

/** Change this view's part of the state. */
export const set = (part: Partial<TrainState>): void => change({ train: { ...state.train, ...part } });

function problemOf(error: unknown, retry: (() => void) | undefined): Problem {
  const text = (error as Error).message;
  if (error instanceof WorkerError && error.isFormat) return { title: "This file cannot be resumed", text };
  return { title: "The training stopped", text, retry };
}

/** Drop all points after a step. */
function cut(curve: GrowingCurve, step: number): void {
  const until = (steps: readonly number[]) => steps.filter((at) => at <= step).length;
  const [points, looks] = [until(curve.steps), until(curve.test.steps)];
  for (const list of [curve.steps, curve.loss, curve.accuracy]) list.length = points;
  for (const list of [curve.test.steps, curve.test.accuracy]) list.length = looks;
}

/** Drop every second point of the older half of a long curve. */
function thin(curve: GrowingCurve): void {
  if (curve.steps.length < POINTS) return;
  const stays = (_: number, i: number) => i > POINTS / 2 || i % 2 === 0;
  curve.steps = curve.steps.filter(stays);
  curve.loss = curve.loss.filter(stays);
  curve.accuracy = curve.accuracy.filter(stays);
}
