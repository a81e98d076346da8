import { beforeAll, expect, test } from "vitest";
import {
  assign,
  backward,
  compile,
  defaultDevice,
  init,
  mul,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { parameter } from "../../src/nn/index.ts";
import { exponential, Lookahead, plateau, RMSprop, SGD, WeightAverage } from "../../src/optim/index.ts";

beforeAll(async () => {
  await init();
});

const lossOf = (w: Tensor): Tensor => sum(mul(mul(w, w), tensor([1, 2, 0.5])));

// PyTorch's, in float64.
const RMSPROP = [
  [0, [0.369181263, -1.308718083, 2.291766384]],
  [0.9, [-0.268255301, -0.604120033, 1.570525684]],
] as const;

test.each(RMSPROP)("RMSprop with momentum %s moves as PyTorch's", async (momentum, wanted) => {
  for (const compiled of [false, true]) {
    const w = parameter(tensor([1, -2, 3]));
    const options = { lr: 0.1, alpha: 0.9, eps: 1e-6, momentum, weightDecay: 0.01 };
    const optimizer = new RMSprop([w], options);
    const step = () =>
      scope(() => {
        backward(lossOf(w));
        optimizer.step();
        optimizer.zeroGrad();
      });
    const run = compiled ? compile(step) : step;
    for (let i = 0; i < 3; i++) await run();
    const found = [...(await w.data())];
    for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5);
    optimizer.dispose();
    w.dispose();
  }
});

test("RMSprop refuses what makes no sense", () => {
  const w = parameter(tensor([1]));
  expect(() => new RMSprop([w], { alpha: 2 })).toThrow("RMSprop: alpha is 2");
  expect(() => new RMSprop([w], { beta: 1 } as never)).toThrow("RMSprop: there is no option beta");
});

test("an average of weights follows them, and swaps with them", async () => {
  const model = { w: parameter(tensor([0, 8])) };
  const average = new WeightAverage(model, 0.5);
  const optimizer = new SGD(model, { lr: 1 });
  scope(() => {
    backward(sum(model.w));
    optimizer.step(); // w is [-1, 7]
  });
  await average.update();
  expect([...(await average.stateDict().get("w")!.data())]).toEqual([-0.5, 7.5]);
  await average.swap();
  expect([...(await model.w.data())]).toEqual([-0.5, 7.5]);
  await average.swap();
  expect([...(await model.w.data())]).toEqual([-1, 7]);
  expect(() => new WeightAverage(model, 2)).toThrow("WeightAverage: decay is 2, not in [0, 1].");
  average.dispose();
});

test("an average of halves moves by less than they can, and comes back from a swap unchanged", async ({
  skip,
}) => {
  skip(!defaultDevice().adapter.features.has("shader-f16"), "no shader-f16");
  const model = { w: tensor([1, 2], { dtype: "f16" }) };
  const average = new WeightAverage(model, 0.999);
  assign(model.w, [1.25, 2.25]);
  for (let i = 0; i < 20; i++) await average.update();
  const found = average.stateDict().get("w")!;
  expect(found.dtype).toBe("f32");
  const moved = 0.25 * (1 - 0.999 ** 20);
  expect((await found.data())[0]).toBeCloseTo(1 + moved, 5);
  const before = [...(await found.data())];
  await average.swap();
  await expect(average.update()).rejects.toThrow("swap() the weights back");
  expect((await model.w.data())[0]).toBeCloseTo(1 + moved, 3);
  await average.swap();
  expect([...(await model.w.data())]).toEqual([1.25, 2.25]);
  expect([...(await found.data())]).toEqual(before);
  average.dispose();
});

test.each([WeightAverage, Lookahead])("a model without weights is refused by %o", (Average) => {
  const counter = { steps: tensor(Int32Array.of(1)) };
  expect(() => new Average(counter)).toThrow(
    `${Average.name}: the model has no weights: its state has 1 tensors, none of floats. Give the module`,
  );
});

test("exponential", () => {
  const schedule = exponential({ lr: 0.5, gamma: 0.5 });
  expect([0, 1, 3].map(schedule)).toEqual([0.5, 0.25, 0.0625]);
});

test("plateau falls as PyTorch's ReduceLROnPlateau", () => {
  const next = plateau({ lr: 1, factor: 0.5, patience: 1, threshold: 0.01, cooldown: 1, min: 0.2 });
  const losses = [5, 4, 4, 3.99, 3.98, 3.97, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9];
  expect(losses.map(next)).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]);
  expect(() => plateau({ lr: 1, factor: 2 })).toThrow("plateau: factor is 2, not between 0 and 1.");
});
