import type { Problem } from "../app/messages.ts";
import type { CameraState } from "../classify/state.ts";
import type { LiveAnswer } from "../worker-client/messages/classify.ts";
import type { Loading } from "../worker-client/messages/nets.ts";
import type { TeachBase, TeachStep } from "../worker-client/messages/teach.ts";

/** A picture to learn from. */
export interface Example {
  readonly id: number;
  readonly blob: Blob;
  /** An address under which the page can show it. */
  readonly url: string;
  /** True once its features are on the device. */
  readonly isReady: boolean;
}

export interface TaughtClass {
  readonly id: number;
  readonly name: string;
  readonly examples: readonly Example[];
}

export interface TeachState {
  /** The page's net by its id; undefined: the one that suits the adapter. */
  readonly base: string | undefined;
  readonly opened: TeachBase | undefined;
  readonly loading: Loading | undefined;
  readonly classes: readonly TaughtClass[];
  readonly camera: CameraState;
  readonly is: "idle" | "head" | "last stage";
  /** The visitor's wish that learning stop after its step; `done` once it has. */
  readonly stop?: "asked" | "done" | undefined;
  /** Milliseconds that the net took for the latest picture. */
  readonly pace?: number | undefined;
  readonly steps: readonly TeachStep[];
  /** Milliseconds of learning that are left, as far as the steps before tell. */
  readonly left?: number | undefined;
  /** The classes and pictures that the net has learned, as `lessonOf` names them. */
  readonly learned: string | undefined;
  /** The picture that is tried, and the answer for it or for the camera's latest frame. */
  readonly tried: { readonly url: string; readonly name: string } | undefined;
  readonly answer: LiveAnswer | undefined;
  /** Frames of the camera that are classified per second; undefined while none are. */
  readonly rate: number | undefined;
  readonly problem: Problem | undefined;
}

export const emptyTeach: TeachState = {
  base: undefined,
  opened: undefined,
  loading: undefined,
  classes: [
    { id: 1, name: "Class 1", examples: [] },
    { id: 2, name: "Class 2", examples: [] },
  ],
  camera: { is: "off" },
  is: "idle",
  steps: [],
  learned: undefined,
  tried: undefined,
  answer: undefined,
  rate: undefined,
  problem: undefined,
};
