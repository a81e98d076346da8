import type { Problem } from "../app/messages.ts";
import type { Inside, Tiles } from "../worker-client/messages/inside.ts";

/** Tiles of a layer, or that they are coming. */
export interface Shown {
  readonly name: string;
  readonly tiles: Tiles | undefined;
}

export interface InsideState {
  readonly is: "idle" | "loading the net" | "looking";
  readonly found: Inside | undefined;
  /** Number of the part whose details are shown. */
  readonly part: number;
  readonly maps: Shown | undefined;
  readonly filters: Shown | undefined;
  readonly problem: Problem | undefined;
}

export const emptyInside: InsideState = {
  is: "idle",
  found: undefined,
  part: 0,
  maps: undefined,
  filters: undefined,
  problem: undefined,
};
