import { beforeAll, describe, expect, it } from "vitest";
import { readSafetensors, toBytes, writeSafetensors } from "../../src/formats/index.ts";
import { backward, type Device, init, mul, scope, sub, sum, type Tensor, tensor } from "../../src/index.ts";
import { Adam, AdamW, type Optimizer, SGD } from "../../src/optim/index.ts";
import { complaint } from "../complaint.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

const leaf = (...values: number[]): Tensor => tensor(values, undefined, { requiresGrad: true });

/** Gradients of a bowl around `goal`, different from step to step. */
function descend(w: Tensor, optimizer: Optimizer<never>, goal = 3): void {
  scope(() => {
    const away = sub(w, goal);
    optimizer.zeroGrad();
    backward(sum(mul(away, away)));
    optimizer.step();
  });
}

const optimizers: [string, (params: object) => Optimizer<never>][] = [
  ["SGD", (params) => new SGD(params, { lr: 0.1 }) as never],
  ["SGD with momentum", (params) => new SGD(params, { lr: 0.02, momentum: 0.9 }) as never],
  ["SGD with Nesterov", (params) => new SGD(params, { lr: 0.02, momentum: 0.9, nesterov: true }) as never],
  ["Adam", (params) => new Adam(params, { lr: 0.2 }) as never],
  ["AdamW", (params) => new AdamW(params, { lr: 0.2, weightDecay: 0 }) as never],
];

describe.each(optimizers)("%s", (_, make) => {
  it("finds the bottom of a bowl", async () => {
    const w = leaf(-5, 0, 2.5, 8, 10 / 3);
    const optimizer = make([w]);
    for (let step = 0; step < 300; step++) descend(w, optimizer);
    for (const value of await w.data()) expect(value).toBeCloseTo(3, 2);
  });

  it("goes on from its state, through a file, to the same bits", async () => {
    const model = { layers: [{ weight: leaf(1, -2, 0.3) }] };
    const [w] = [model.layers[0]!.weight];
    const optimizer = make(model);
    for (let step = 0; step < 3; step++) descend(w, optimizer);
    const file = await toBytes(writeSafetensors(optimizer.stateDict()));
    const copy = { layers: [{ weight: leaf(...(await w.data())) }] };
    const resumed = make(copy);
    resumed.lr = 123; // part of the state, so that it is overwritten
    resumed.loadStateDict(await readSafetensors(file));
    for (let step = 0; step < 3; step++) {
      descend(w, optimizer);
      descend(copy.layers[0]!.weight, resumed);
    }
    expect(await copy.layers[0]!.weight.data()).toEqual(await w.data());
    expect(await w.data()).not.toEqual(Float32Array.of(1, -2, 0.3));
  });

  it("leaves nothing behind, whatever the rate", () => {
    const w = leaf(1, 2, 3);
    const optimizer = make([w]);
    descend(w, optimizer);
    descend(w, optimizer);
    const before = device.counts;
    for (let step = 0; step < 20; step++) {
      optimizer.lr = 0.1 / (step + 1);
      descend(w, optimizer);
    }
    const { launches, submits, ...after } = device.counts;
    expect({ ...after, launches, submits }).toEqual({ ...before, launches, submits });
    expect(launches).toBeGreaterThan(before.launches);
  });
});

it("moves the bits of two optimizers alike, one of which got its state as tensors", async () => {
  const [a, b] = [leaf(1, 2), leaf(1, 2)];
  const [first, second] = [new Adam([a]), new Adam([b])];
  descend(a, first as never);
  descend(b, second as never);
  second.loadStateDict(first.stateDict());
  descend(a, first as never);
  descend(b, second as never);
  expect(await b.data()).toEqual(await a.data());
});

it("skips a parameter that has no gradient", async () => {
  const [used, unused] = [leaf(1), leaf(1)];
  const optimizer = new Adam([used, unused], { lr: 0.5 });
  descend(used, optimizer as never);
  expect(await unused.data()).toEqual(Float32Array.of(1));
  expect(await used.data()).toEqual(Float32Array.of(1.5));
  descend(unused, optimizer as never);
  expect(await unused.data(), "its first step, corrected as such").toEqual(Float32Array.of(1.5));
});

it("has options by group, which may change", async () => {
  const [a, b] = [leaf(0), leaf(0)];
  const optimizer = new SGD([{ params: [a], lr: 1 }, { params: { b } }], { lr: 0.25 });
  const step = () => {
    a.grad = tensor([1]);
    b.grad = tensor([1]);
    optimizer.step();
  };
  step();
  expect([await a.item(), await b.item()]).toEqual([-1, -0.25]);
  optimizer.groups[1]!.lr = 0.5;
  step();
  expect([await a.item(), await b.item()]).toEqual([-2, -0.75]);
  optimizer.lr = 2;
  step();
  expect([await a.item(), await b.item()]).toEqual([-4, -2.75]);
  optimizer.zeroGrad();
  expect(a.grad ?? b.grad).toBeUndefined();
});

it("begins a momentum that it is given later, and has it in its state", async () => {
  const w = leaf(1);
  const optimizer = new SGD([w], { lr: 0.5 });
  const step = () => {
    optimizer.zeroGrad();
    backward(sum(w));
    optimizer.step();
  };
  step();
  optimizer.groups[0]!.momentum = 0.5;
  expect([...optimizer.stateDict().keys()]).toContain("0.momentum");
  step();
  step();
  expect(await w.item()).toBe(1 - 0.5 - 0.5 - 0.75);
});

it("frees what it remembers, and not the parameters", () => {
  const w = leaf(1, 2);
  const free = device.counts.freeBytes;
  const optimizer = new Adam([w]);
  optimizer.dispose();
  expect(device.counts.freeBytes).toBeGreaterThanOrEqual(free);
  expect(w.isDisposed).toBe(false);
});

it("takes an option that is undefined for an absent one", () => {
  const absent = { lr: undefined, betas: undefined, eps: undefined, weightDecay: undefined };
  const [given, inGroup] = [
    new Adam([leaf(1)], absent as never),
    new Adam([{ params: [leaf(1)], ...absent } as never]),
  ];
  const { slots: _, ...expected } = new Adam([leaf(1)]).groups[0]!;
  for (const { groups } of [given, inGroup]) expect(groups[0]).toMatchObject(expected);
});

describe("says what is wrong", () => {
  it("with the options", () => {
    const w = leaf(1);
    expect(complaint(() => new SGD([w], { lr: -0.1 }))).toMatchInlineSnapshot(
      `"RangeError: SGD: lr is -0.1, not a number ≥ 0."`,
    );
    expect(complaint(() => new SGD([w], { lr: Number.NaN }))).toMatchInlineSnapshot(
      `"RangeError: SGD: lr is NaN, not a number ≥ 0."`,
    );
    expect(complaint(() => new SGD([w], { lr: 1, nesterov: true }))).toMatchInlineSnapshot(
      `"RangeError: SGD: momentum is 0, not above 0, which nesterov needs."`,
    );
    expect(complaint(() => new Adam([w], { betas: [0.9, 1] }))).toMatchInlineSnapshot(
      `"RangeError: Adam: betas is [0.9,1], not two numbers in [0, 1)."`,
    );
    expect(complaint(() => (new Adam([w]).lr = -1))).toMatchInlineSnapshot(
      `"RangeError: Adam: lr is -1, not a number ≥ 0."`,
    );
  });

  it("with the parameters", () => {
    const w = leaf(1, 2);
    expect(complaint(() => new SGD([], { lr: 1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: there is no parameter to move. Give tensors that require a gradient, or a model that has some."`,
    );
    expect(complaint(() => new SGD({ w: tensor([1]) }, { lr: 1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: there is no parameter to move. Give tensors that require a gradient, or a model that has some."`,
    );
    expect(complaint(() => new SGD([tensor([1])], { lr: 1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: parameter 0 does not require a gradient; parameter(tensor) makes it do so. It is Tensor f32 [1]."`,
    );
    expect(complaint(() => new SGD([w, w], { lr: 1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: parameter 1 is there twice, Tensor f32 [2]."`,
    );
    expect(complaint(() => new SGD([mul(w, 2)], { lr: 1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: parameter 0 is the result of an op; give the leaf that it was made from. It is Tensor f32 [2]."`,
    );
  });

  it("when a parameter is gone", () => {
    const model = { head: { weight: leaf(1, 2) } };
    const optimizer = new SGD(model, { lr: 1 });
    model.head.weight.dispose();
    expect(complaint(() => optimizer.step())).toMatchInlineSnapshot(
      `"Error: SGD: parameter head.weight was disposed: by dispose(), or by the end of the scope that made it. Make it with parameter(tensor), or keep() it."`,
    );
  });

  it("when the state is another's", () => {
    const [one, two] = [new Adam({ w: leaf(1, 2) }), new SGD({ w: leaf(1) }, { lr: 1, momentum: 0.9 })];
    expect(complaint(() => two.loadStateDict(one.stateDict()))).toMatchInlineSnapshot(`
      "FormatError: SGD.loadStateDict: the state does not fit: 3 missing, 4 unexpected.
        missing: groups.0.momentum
        missing: groups.0.nesterov
        missing: w.momentum
        unexpected: groups.0.betas
        unexpected: groups.0.eps
        unexpected: w.m
        unexpected: w.v"
    `);
    const wide = new Adam({ w: leaf(1) });
    expect(complaint(() => wide.loadStateDict(one.stateDict()))).toMatchInlineSnapshot(`
      "FormatError: Adam.loadStateDict: the state does not fit: 2 misshapen.
        misshapen: w.m is [2] but has to be [1]
        misshapen: w.v is [2] but has to be [1]"
    `);
  });
});
