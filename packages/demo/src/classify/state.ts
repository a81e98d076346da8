import type { TemplateResult } from "lit-html";
import type { Problem } from "../app/messages.ts";
import type { Classification, StageTime } from "../worker-client/messages/classify.ts";
import type { Loading, NetInfo } from "../worker-client/messages/nets.ts";

export interface Picture {
  readonly blob: Blob;
  /** An address under which the page can show it. */
  readonly url: string;
  readonly name: string;
  readonly alt: string;
}

export type CameraState =
  | { readonly is: "off" }
  | { readonly is: "asking" }
  | { readonly is: "on"; readonly stream: MediaStream };

export interface ClassifyState {
  /** One of the page's nets by its id, or files of the visitor. */
  readonly choice: string | readonly File[] | undefined;
  readonly net: NetInfo | undefined;
  readonly loading: Loading | undefined;
  readonly picture: Picture | undefined;
  /** Stages that are done, while a picture is being classified. */
  readonly running: readonly StageTime[] | undefined;
  readonly result: Classification | undefined;
  readonly problem: Problem | undefined;
  readonly camera: CameraState;
  /** True if each frame of the camera is classified; undefined: on a GPU alone. */
  readonly isLive: boolean | undefined;
  /** The answer for the latest frame. */
  readonly live: TemplateResult | undefined;
  readonly isDropping: boolean;
}

export const emptyClassify: ClassifyState = {
  choice: undefined,
  net: undefined,
  loading: undefined,
  picture: undefined,
  running: undefined,
  result: undefined,
  problem: undefined,
  camera: { is: "off" },
  isLive: undefined,
  live: undefined,
  isDropping: false,
};
