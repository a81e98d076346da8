import type { Loading } from "../worker-client/messages/nets.ts";
import type { FastMessage, FastReport } from "../worker-client/messages/train.ts";

/** State of the preset's training. */
export interface FastState {
  readonly is: "idle" | "getting ready" | "running" | "stopping" | "evaluating" | "done";
  readonly seed: number;
  readonly loading: Loading | undefined;
  readonly steps: number;
  /** Start of the first step, by `performance.now()`; undefined while none is under way. */
  readonly since: number | undefined;
  /** Milliseconds of training. */
  readonly clock: number;
  readonly latest: Extract<FastMessage, { kind: "step" }> | undefined;
  readonly report: FastReport | undefined;
}

export const emptyFast: FastState = {
  is: "idle",
  seed: 1,
  loading: undefined,
  steps: 0,
  since: undefined,
  clock: 0,
  latest: undefined,
  report: undefined,
};
