import { type BenchmarkState, emptyBenchmark } from "../benchmark/state.ts";
import type { ClassifyState } from "../classify/state.ts";
import { emptyClassify } from "../classify/state.ts";
import { emptyInside, type InsideState } from "../inside/state.ts";
import { emptyTeach, type TeachState } from "../teach/state.ts";
import { emptyTrain, type TrainState } from "../train/state.ts";
import type { Classification } from "../worker-client/messages/classify.ts";
import type { BundledAssets } from "../worker-client/messages/nets.ts";
import type { AdapterInfo } from "../worker-client/protocol.ts";
import { type Route, routeOf } from "./router.ts";
import { savedTheme, type Theme } from "./theme.ts";

/** State of the device. */
export type DeviceState =
  | { readonly is: "opening" }
  | {
      readonly is: "open";
      readonly info: AdapterInfo /** Why it had to be opened again. */;
      readonly after?: string;
    }
  | {
      readonly is: "missing";
      readonly message: string;
      /** An answer to show in place of one that is computed, once it is loaded. */
      readonly recorded?: Classification;
    };

/** All that the page shows. */
export interface State {
  route: Route;
  theme: Theme;
  device: DeviceState;
  assets: BundledAssets | undefined;
  classify: ClassifyState;
  train: TrainState;
  teach: TeachState;
  inside: InsideState;
  benchmark: BenchmarkState;
}

export const state: State = {
  route: routeOf(location.hash),
  theme: savedTheme(),
  device: { is: "opening" },
  assets: undefined,
  classify: emptyClassify,
  train: emptyTrain,
  teach: emptyTeach,
  inside: emptyInside,
  benchmark: emptyBenchmark,
};

let draw = () => {};
let isDue = false;

/** Listeners that draw the page after each change. */
export function onChange(drawing: () => void): void {
  draw = drawing;
}

/** Change what the page shows; it is drawn once, before the browser shows the next frame. */
export function change(part: Partial<State>): void {
  Object.assign(state, part);
  if (isDue) return;
  isDue = true;
  // A tab in the background has no frames; timers are what is left there.
  if (document.hidden) setTimeout(drawDue, 250);
  else requestAnimationFrame(drawDue);
}

function drawDue(): void {
  if (!isDue) return;
  isDue = false;
  draw();
}

// The frame that was waited for comes only when the tab is seen again.
document.addEventListener("visibilitychange", drawDue);
