import { FormatError } from "@shadegrad/tensor";
import { describe, expect, it } from "vitest";
import { parseTrainingState } from "../../src/training/training-state.ts";

const STATE = {
  progress: { step: 5, epoch: 1, position: 2, loss: 1.5, correct: 3, images: 8, seconds: 2, ended: 3 },
  resumeSettings: { seed: 3, augment: "none" },
  generator: { seed: 3, offset: 7 },
  settings: { model: "linear" },
  epsilons: { "norm.runningVar": 1e-5 },
};
const parse = (state: object) => parseTrainingState(JSON.stringify(state), "file");
const progress = (change: object) => ({ ...STATE, progress: { ...STATE.progress, ...change } });

it("the state of a training is read whole", () => {
  expect(parse(STATE)).toMatchObject(STATE);
  const { settings: _, ...without } = STATE;
  expect(parse(without).settings).toBeUndefined();
  // An epoch of one step: there may be as many epochs and evaluations as steps.
  expect(parse(progress({ epoch: 5, position: 5, ended: 5 })).progress.epoch).toBe(5);
});

describe("a state that cannot be is refused", () => {
  it.each([
    ["more epochs than steps", progress({ epoch: 6 }), "after 5 steps it is in step 2 of epoch 7"],
    ["a later place in its epoch", progress({ position: 6 }), "after 5 steps it is in step 6 of epoch 2"],
    ["an evaluation to come", progress({ ended: 6 }), "after 5 steps it is in step 2 of epoch 2"],
    ["half a step", progress({ step: 5.5 }), "progress.step is 5.5"],
    ["steps below 0", progress({ step: -1 }), "progress.step is -1"],
    ["no epoch", progress({ epoch: undefined }), "progress.epoch is undefined"],
    ["an infinite loss", progress({ loss: null }), "progress.loss is null"],
    ["seconds below 0", progress({ seconds: -1 }), "progress.seconds is -1"],
    ["no seed", { ...STATE, generator: { offset: 7 } }, "the generator's seed is undefined, its offset 7"],
    ["an odd offset", { ...STATE, generator: { seed: 3, offset: 0.5 } }, "seed is 3, its offset 0.5"],
    ["no settings of the resume", { ...STATE, resumeSettings: undefined }, "resumeSettings"],
    ["settings that are lists", { ...STATE, settings: { model: [1] } }, "settings"],
    ["an epsilon below 0", { ...STATE, epsilons: { norm: -1 } }, "the epsilon of norm is -1"],
  ])("%s", (_, state, message) => {
    expect(() => parse(state)).toThrow(FormatError);
    expect(() => parse(state)).toThrow(message);
  });

  it("text that is no JSON, with the parser's error as cause", () => {
    let error: unknown;
    try {
      parseTrainingState("{", "file");
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).cause).toBeInstanceOf(SyntaxError);
  });
});
