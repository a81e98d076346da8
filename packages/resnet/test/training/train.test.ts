import {
  crossEntropy,
  defaultDevice,
  init,
  mul,
  noGrad,
  type Precision,
  type Tensor,
  tensor,
} from "@shadegrad/tensor";
import { dispose, stateDict } from "@shadegrad/tensor/nn";
import { multiStep, SGD } from "@shadegrad/tensor/optim";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ProgressEvent, train } from "../../src/index.ts";
import { Steps } from "../../src/training/step.ts";
import { colours, numbers, Small, sgd } from "./small.ts";

const quiet = { onProgress: () => {} };
const made: Small[] = [];

function small(seed?: number): Small {
  const model = new Small(seed);
  made.push(model);
  return model;
}

beforeAll(async () => {
  await init();
});

afterEach(() => {
  for (const model of made.splice(0)) dispose(model);
});

describe("train", () => {
  it("learns, and tells how it goes", async () => {
    const model = small();
    const events: ProgressEvent[] = [];
    const result = await train({
      model,
      data: colours(90),
      validation: colours(40, 2),
      epochs: 4,
      batchSize: 16,
      optimizer: sgd(model),
      augment: { pad: 1, flip: true },
      onProgress: (event) => events.push(event),
    });
    expect(result.done).toBe(true);
    expect(result.step).toBe(4 * 6);
    expect(result.epochs.map(({ epoch, step }) => [epoch, step])).toEqual(
      [1, 2, 3, 4].map((epoch) => [epoch, 6 * epoch]),
    );
    const [first, last] = [result.epochs[0]!, result.epochs.at(-1)!];
    expect(last.loss).toBeLessThan(first.loss);
    expect(result.validation!.top1).toBeGreaterThan(0.9);
    expect(last.validation).toEqual({
      loss: result.validation!.loss,
      top1: result.validation!.top1,
      top5: 1,
    });

    const steps = events.filter((event) => event.kind === "step");
    expect(steps.at(-1)).toMatchObject({ step: 24, epoch: 4, epochs: 4, steps: 24, part: 1, lr: 0.05 });
    expect(steps.at(-1)!.secondsLeft).toBeLessThan(60);
    expect(events.filter((event) => event.kind === "epoch")).toHaveLength(4);
    expect(events.filter((event) => event.kind === "validation").at(-1)).toMatchObject({
      images: 40,
      of: 40,
    });
  });

  it("gives the same bits for the same seed, others for another", async () => {
    const run = async (seed: number) => {
      const model = small();
      const options = { epochs: 2, batchSize: 8, augment: { pad: 2, flip: true }, ...quiet };
      await train({ model, data: colours(30), optimizer: sgd(model), seed, ...options });
      return numbers(model);
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect(await run(6)).not.toEqual(first);
  });

  it("learns as well with products in f16, from weights in f32", async ({ skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
    const run = async (precision: Precision) => {
      const model = small();
      const validation = colours(40, 2);
      const options = { epochs: 4, batchSize: 16, optimizer: sgd(model), precision, ...quiet };
      const { epochs } = await train({ model, data: colours(90), validation, ...options });
      expect([...stateDict(model).values()].map(({ dtype }) => dtype)).not.toContain("f16");
      expect(stateDict(model).size).toBeGreaterThan(10);
      return epochs;
    };
    const [half, full] = [await run("f16"), await run("f32")];
    half.forEach(({ loss, validation }, i) => {
      expect(loss).not.toBe(full[i]!.loss);
      expect(Math.abs(loss - full[i]!.loss)).toBeLessThan(0.02);
      expect(Math.abs(validation!.loss - full[i]!.validation!.loss)).toBeLessThan(0.05);
    });
    expect(half.at(-1)!.validation!.top1).toBeGreaterThan(0.9);
  });

  it("asks for an optimizer that knows of scaled gradients, where products are in f16", async () => {
    const model = small();
    class Own extends SGD {}
    const optimizer = new Own(model, { lr: 0.1 });
    await expect(
      train({ model, data: colours(4), epochs: 1, optimizer, precision: "f16", ...quiet }),
    ).rejects.toThrow(
      "train: precision f16 needs an optimizer that takes scaled gradients, SGD, Adam or AdamW, not Own.",
    );
  });

  it("follows the schedule, and stops after so many steps", async () => {
    const model = small();
    const optimizer = sgd(model);
    const rates: number[] = [];
    const schedule = multiStep({ lr: 0.1, milestones: [2] });
    const result = await train({
      model,
      data: colours(20),
      steps: 3,
      batchSize: 8,
      optimizer,
      schedule: (step) => {
        rates.push(step);
        return schedule(step);
      },
      ...quiet,
    });
    expect(rates).toEqual([0, 1, 2]);
    expect(optimizer.lr).toBeCloseTo(0.01);
    expect(result).toMatchObject({ done: true, step: 3 });
  });

  it("stops when told to", async () => {
    const model = small();
    const controller = new AbortController();
    const result = await train({
      model,
      data: colours(64),
      epochs: 1000,
      batchSize: 8,
      optimizer: sgd(model),
      signal: controller.signal,
      onProgress: (event) => {
        if (event.epoch === 2) controller.abort();
      },
    });
    expect(result.done).toBe(false);
    expect(result.step).toBeGreaterThanOrEqual(8);
    expect(result.step).toBeLessThan(80);
  });

  it("stops at a NaN, and names the op that made it; the model stays as it was before", async () => {
    const data = colours(24);
    const model = small();
    const trained = {
      net: model.net,
      forward(x: Tensor): Tensor {
        const y = model.net.forward(x);
        // From some step on, the scores overflow.
        return calls++ < 4 ? y : mul(mul(y, 1e30), 1e30);
      },
    };
    let calls = 0;
    const failing = train({
      model: trained,
      data,
      epochs: 3,
      batchSize: 8,
      optimizer: sgd(trained),
      compile: false, // the model decides again at each step
      ...quiet,
    });
    await expect(failing).rejects.toThrow(
      /^train: the loss became NaN by step \d of epoch \d: in step \d, crossEntropy made it, of values that are infinite since mul\. The model is as it was after step \d\. A learning rate below 0\.05 may help\.$/,
    );
    expect(
      Object.values(await numbers(model))
        .flat()
        .every(Number.isFinite),
    ).toBe(true);
  });

  it.each([
    [{ epochs: 1, steps: 1 }, "either epochs or steps must be given; epochs is 1 and steps is 1."],
    [{}, "either epochs or steps must be given; epochs is undefined and steps is undefined."],
    [{ epochs: 1, batchSize: 0 }, "batchSize must be a whole number ≥ 1, not 0."],
    [{ epochs: 1, resume: true }, "resume needs out"],
  ])("complains of %j", async (options, message) => {
    const model = small();
    await expect(
      train({ model, data: colours(4), optimizer: sgd(model), ...quiet, ...options }),
    ).rejects.toThrow(message);
  });
});

it("a step's sums are those of its batches", async () => {
  const device = await init();
  const model = small();
  const logits = { forward: () => mul(weight, 1), weight: model.net.fc.weight };
  const weight = tensor(
    [
      [1, 2, 0],
      [5, 1, 1],
    ],
    undefined,
    { requiresGrad: true },
  );
  const batch = { images: new Float32Array(2), shape: [2, 1, 1, 1] as const, labels: Int32Array.of(1, 2) };
  const optimizer = new SGD([weight], { lr: 0 });
  const sums = new Steps(device, { model: logits, optimizer, labelSmoothing: 0 });
  for (let i = 0; i < 3; i++) await sums.step(batch);
  const { loss, correct, images } = await sums.read();
  const mean = await noGrad(() => crossEntropy(weight, tensor(batch.labels))).item();
  expect(loss).toBeCloseTo(6 * mean, 4);
  expect([correct, images]).toEqual([3, 6]);
  expect(await sums.read()).toEqual({ loss: 0, correct: 0, images: 0 });
  sums.dispose();
});
