import { change, state } from "../app/state.ts";
import type { Example, TaughtClass, TeachState } from "./state.ts";

/** Change this view's part of the state. */
export const set = (part: Partial<TeachState>): void => change({ teach: { ...state.teach, ...part } });

export const setClass = (id: number, part: Partial<TaughtClass>): void =>
  set({ classes: state.teach.classes.map((one) => (one.id === id ? { ...one, ...part } : one)) });

export const examplesOf = (id: number): readonly Example[] =>
  state.teach.classes.find((one) => one.id === id)?.examples ?? [];
