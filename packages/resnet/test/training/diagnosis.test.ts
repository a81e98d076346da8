import {
  add,
  assign,
  type Device,
  generatorOf,
  init,
  mul,
  scope,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { Dropout, Linear, stateDict, train } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { beforeAll, beforeEach, expect, it } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { Diagnosis, type Position } from "../../src/training/diagnosis.ts";
import { numbers } from "./small.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

/** A model whose scores become infinite in evaluation, unless they are 0. */
class Model {
  readonly linear = new Linear(2, 2);
  readonly dropout = new Dropout(0);
  forward(x: Tensor): Tensor {
    return this.dropout.training ? x : mul(mul(x, 1e20), 1e20);
  }
}

/** A training of which every step changes all that a step may; one of them makes a NaN. */
function training(broken: number) {
  const model = new Model();
  const optimizer = new SGD(model, { lr: 0.5, momentum: 0.9 });
  const generator = generatorOf(device);
  const steps: number[] = [];
  const replay = {
    ...{ model, optimizer, device, generator, precision: "f32" as const, perEpoch: 3 },
    async *batches({ step }: Position) {
      for (let i = step; i < 9; i++) yield {} as Batch;
    },
    async step(_: Batch, step: number) {
      steps.push(step);
      optimizer.lr = 0.25;
      generator.advance(1);
      scope(() => {
        assign(model.linear.weight, add(model.linear.weight, 1));
        if (step === broken) mul(tensor([Number.POSITIVE_INFINITY]), 0);
      });
    },
  };
  const state = async () => ({ lr: optimizer.lr, offset: generator.offset, weights: await numbers(model) });
  return { model, replay, steps, state };
}

let found: ReturnType<typeof training>;
let diagnosis: Diagnosis;
beforeEach(() => {
  found = training(4);
  diagnosis = new Diagnosis(found.replay);
});
const position = (step: number): Position => ({ step, epoch: 0, position: step });

it("repeats the steps since the snapshot up to the one that makes a NaN, and restores the snapshot", async () => {
  const { replay, steps, state } = found;
  await replay.step({} as Batch, 0);
  await replay.step({} as Batch, 1);
  replay.optimizer.lr = 0.5;
  diagnosis.see(position(2));
  const before = await state();
  expect(before.weights["linear.weight"]).toHaveLength(4);
  for (let step = 2; step < 7; step++) await replay.step({} as Batch, step);
  expect(await state()).not.toEqual(before);
  steps.length = 0;
  const { message } = await diagnosis.explain("the loss became NaN", position(7));
  expect(message).toMatch(
    /^train: the loss became NaN by step 7 of epoch 3: in step 5, mul made it.*\. The model is as it was after step 2\. A learning rate below 0\.5 may help\.$/,
  );
  expect(steps).toEqual([2, 3, 4]);
  expect(await state()).toEqual(before);
});

it("repeats no step beyond the last one, in whose place no op made a NaN", async () => {
  const { steps } = found;
  diagnosis.see(position(1));
  const { message } = await diagnosis.explain("the loss became NaN", position(4));
  expect(message).toContain("by step 4 of epoch 2: no op made a NaN when the steps from 2 on were repeated.");
  expect(steps).toEqual([1, 2, 3]);
});

it("looks into an evaluation, in evaluation mode, by batches", async () => {
  const { model } = found;
  train(model);
  const batch = (...images: number[]): Batch => ({
    images: Float32Array.from(images),
    shape: [images.length / 2, 1, 1, 2],
    labels: new Int32Array(images.length / 2),
  });
  async function* evaluated() {
    yield batch(0, 0, 0, 0);
    yield batch(1, 2, 3, 4);
    yield batch(5, 6);
  }
  const flat = model.forward.bind(model);
  model.forward = (x) => flat(x.view([x.shape[0]!, 2]));
  const { message } = await diagnosis.explain(
    "the loss of the validation became NaN",
    position(2),
    evaluated(),
  );
  expect(message).toContain(
    "by step 2 of epoch 1: among the first 4 images of the validation, crossEntropy made it, of values that are infinite since mul.",
  );
  expect(stateDict(model).size).toBe(2);
});
