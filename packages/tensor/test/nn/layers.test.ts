import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  type Device,
  init as initDevice,
  manualSeed,
  mean,
  mul,
  relu,
  scope,
  sub,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  countParameters,
  Dropout,
  dispose,
  evaluate,
  Flatten,
  GlobalAvgPool2d,
  Identity,
  init,
  inMode,
  type Layer,
  Linear,
  MaxPool2d,
  namedModules,
  namedParameters,
  parameter,
  parameters,
  ReLU,
  Sequential,
  stateDict,
  train,
  zeroGrad,
} from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { randomValues } from "../gradient.ts";

let device: Device;

beforeAll(async () => {
  device = await initDevice();
});

const images = (N = 2, H = 7, W = 5, C = 4): Tensor => tensor(randomValues(N * H * W * C), [N, H, W, C]);

describe("shapes", () => {
  const rows: [string, { forward(x: Tensor): Tensor }, number[]][] = [];
  beforeAll(() => {
    rows.push(
      ["Conv2d", new Conv2d(4, 6, 3), [2, 5, 3, 6]],
      [
        "Conv2d with stride and padding",
        new Conv2d(4, 6, [3, 5], { stride: 2, padding: [1, 2] }),
        [2, 4, 3, 6],
      ],
      ["Conv2d with groups", new Conv2d(4, 6, 3, { groups: 2, padding: "same", bias: false }), [2, 7, 5, 6]],
      ["BatchNorm2d", new BatchNorm2d(4), [2, 7, 5, 4]],
      ["Linear", new Linear(4, 3), [2, 7, 5, 3]],
      ["ReLU", new ReLU(), [2, 7, 5, 4]],
      ["Identity", new Identity(), [2, 7, 5, 4]],
      ["Dropout", new Dropout(), [2, 7, 5, 4]],
      ["Flatten", new Flatten(), [2, 140]],
      ["MaxPool2d", new MaxPool2d(2), [2, 3, 2, 4]],
      ["MaxPool2d with stride and padding", new MaxPool2d(3, { stride: 2, padding: 1 }), [2, 4, 3, 4]],
      ["AvgPool2d", new AvgPool2d([7, 5]), [2, 1, 1, 4]],
      ["GlobalAvgPool2d", new GlobalAvgPool2d(), [2, 4]],
      ["Sequential", new Sequential(new Conv2d(4, 2, 1), relu, new Sequential(new Flatten())), [2, 70]],
      ["an empty Sequential", new Sequential(), [2, 7, 5, 4]],
    );
  });

  it("are as documented", () => {
    for (const [name, layer, shape] of rows) expect(layer.forward(images()).shape, name).toEqual(shape);
  });
});

describe("first weights", () => {
  /** Bounds and deviation of what a tensor holds. */
  async function spread(x: Tensor): Promise<{ most: number; deviation: number }> {
    const values = [...(await x.data())];
    return {
      most: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
      deviation: Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length),
    };
  }

  it("are uniform in ±1/√fanIn, as PyTorch's", async () => {
    manualSeed(1);
    const conv = new Conv2d(64, 128, 3, { groups: 4 });
    const linear = new Linear(400, 300);
    for (const [x, fanIn] of [
      [conv.weight, 144],
      [linear.weight, 400],
      [linear.bias!, 400],
    ] as const) {
      const { most, deviation } = await spread(x);
      const bound = 1 / Math.sqrt(fanIn);
      expect(most).toBeLessThanOrEqual(bound);
      expect(most).toBeGreaterThan(0.97 * bound);
      expect(deviation / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
    }
  });

  it("can be He's, by fan in or out", async () => {
    const w = zeros([3, 3, 16, 64]);
    const { version } = w.storage;
    init.kaimingNormal(w, { mode: "fanOut", nonlinearity: "relu" });
    expect(w.storage.version).toBeGreaterThan(version);
    expect((await spread(w)).deviation / Math.sqrt(2 / (9 * 64))).toBeCloseTo(1, 1);
    init.kaimingUniform(w, { slope: Math.sqrt(5) });
    expect((await spread(w)).most).toBeLessThanOrEqual(1 / Math.sqrt(9 * 16));
    expect((await spread(w)).most).toBeGreaterThan(0.97 / Math.sqrt(9 * 16));
    expect(await init.ones(zeros([2])).data()).toEqual(Float32Array.of(1, 1));
    expect(await init.constant(zeros([2]), 0.5).data()).toEqual(Float32Array.of(0.5, 0.5));
    expect((await spread(init.normal(zeros([10_000]), 0, 3))).deviation / 3).toBeCloseTo(1, 1);
    expect((await spread(init.uniform(zeros([10_000]), -2, 2))).most).toBeCloseTo(2, 1);
  });

  it("come from the seed", async () => {
    const weights = async (seed: number) => {
      manualSeed(seed);
      return await new Linear(5, 7).weight.data();
    };
    const first = await weights(3);
    expect(await weights(4)).not.toEqual(first);
    expect(await weights(3)).toEqual(first);
  });

  it("a gamma of 0 silences a branch", async () => {
    const y = new BatchNorm2d(4, { initialGamma: 0 }).forward(images());
    expect(new Set(await y.data())).toEqual(new Set([0]));
  });
});

describe("dirac", () => {
  it("makes the first outputs the inputs, and leaves the others", async () => {
    const layer = new Conv2d(3, 5, 3, { padding: 1, bias: false });
    const before = await layer.weight.data();
    init.dirac(layer.weight);
    const after = await layer.weight.data();
    const others = (w: ArrayLike<number>) => Array.from(w).filter((_, i) => i % 5 >= 3);
    expect(others(after)).toEqual(others(before));
    const x = images(2, 5, 4, 3);
    const y = await layer.forward(x).data();
    const first = Array.from(y).filter((_, i) => i % 5 < 3);
    expect(first).toEqual(Array.from(await x.data()));
    expect(() => init.dirac(new Conv2d(3, 5, 2).weight)).toThrow(/odd sides/);
  });
});

describe("batch norm without a learned gamma", () => {
  it("keeps it in the state and away from optimizers", () => {
    const layer = new BatchNorm2d(4, { learnGamma: false });
    expect([...namedParameters(layer).keys()]).toEqual(["bias"]);
    expect(stateDict(layer).has("weight")).toBe(true);
  });
});

describe("train and evaluate", () => {
  it("reach every layer, however deep", () => {
    const model = { blocks: [{ bn: new BatchNorm2d(2), rest: new Sequential(new Dropout(), new ReLU()) }] };
    const flags = () => [model.blocks[0]!.bn.training, (model.blocks[0]!.rest[0] as Dropout).training];
    expect(flags()).toEqual([true, true]);
    expect(evaluate(model)).toBe(model);
    expect(flags()).toEqual([false, false]);
    train(model);
    expect(flags()).toEqual([true, true]);
  });

  it("change what batch norm and dropout do", async () => {
    const x = images();
    const bn = new BatchNorm2d(4);
    const dropout = new Dropout(0.5);
    for (let i = 0; i < 3; i++) bn.forward(x);
    expect(await bn.numBatchesTracked.item()).toBe(3);
    const running = await bn.runningMean.data();
    expect(running).not.toEqual(new Float32Array(4));
    const dropped = await dropout.forward(x).data();
    expect(dropped.filter((value) => value === 0).length).toBeGreaterThan(50);
    evaluate([bn, dropout]);
    expect(await dropout.forward(x).data()).toEqual(await x.data());
    bn.forward(x);
    expect(await bn.numBatchesTracked.item()).toBe(3);
    expect(await bn.runningMean.data()).toEqual(running);
  });
});

describe("models", () => {
  it("are any objects", () => {
    const model = { first: new Linear(3, 4), rest: [new Linear(4, 2, { bias: false }), new ReLU()] };
    expect([...stateDict(model).keys()]).toEqual(["first.weight", "first.bias", "rest.0.weight"]);
    expect(countParameters(model)).toBe(12 + 4 + 8);
    expect(parameters(model)).toEqual([
      model.first.weight,
      model.first.bias,
      (model.rest[0] as Linear).weight,
    ]);
  });

  it("may hold layers in Maps, whose keys are names, and in Sets", () => {
    const heads = new Map<string, Layer>([["headA", new Linear(1, 1, { bias: false })]]);
    const model = { heads, extra: new Set([new Dropout(0.5), new Linear(1, 2)]) };
    const names = ["heads.headA.weight", "extra.1.weight", "extra.1.bias"];
    expect([...stateDict(model).keys()]).toEqual(names);
    const [dropout] = evaluate(model).extra as unknown as [Dropout];
    expect(dropout.training).toBe(false);
    expect(inMode(model, true, () => dropout.training)).toBe(true);
    expect(dropout.training).toBe(false);
    expect(namedModules(model)).toEqual([
      ["", model],
      ["heads", heads],
      ["heads.headA", heads.get("headA")],
      ["extra", model.extra],
      ["extra.0", dropout],
      ["extra.1", [...model.extra][1]],
    ]);
    const named = (params: object) => new SGD(params, { lr: 1 }).groups[0]!.slots.map(({ name }) => name);
    expect(named(heads)).toEqual(["headA.weight"]);
    expect(named(namedParameters(model))).toEqual(names);
  });

  it("outlive the scope that made them, until they are disposed", () => {
    const model = scope(() => {
      const made = { bn: new BatchNorm2d(3), conv: new Conv2d(3, 3, 1), own: parameter(zeros([2])) };
      return () => made;
    })();
    const tensors = [...stateDict(model).values()];
    expect(tensors).toHaveLength(8);
    expect(tensors.some(({ isDisposed }) => isDisposed)).toBe(false);
    dispose(model);
    expect(tensors.every(({ isDisposed }) => isDisposed)).toBe(true);
  });

  it("of two layers learn a function that is not linear", async () => {
    manualSeed(1);
    const model = new Sequential(new Linear(1, 16), new ReLU(), new Linear(16, 1));
    const optimizer = new Adam(model, { lr: 0.02 });
    const x = tensor(Array.from({ length: 32 }, (_, i) => [i / 16 - 1]));
    const goal = tensor(Array.from({ length: 32 }, (_, i) => [Math.abs(i / 16 - 1)]));
    const step = () =>
      scope(() => {
        const error = sub(model.forward(x), goal);
        const loss = mean(mul(error, error));
        zeroGrad(model);
        backward(loss);
        optimizer.step();
        return loss;
      });
    const first = await step().item();
    for (let i = 0; i < 200; i++) step().dispose();
    const before = device.counts;
    const last = await step().item();
    expect(last).toBeLessThan(first / 50);
    // The collector may give memory of earlier tests back meanwhile.
    expect(device.counts.bytes).toBeLessThanOrEqual(before.bytes);
  });
});

describe("layers say what is wrong when they are made", () => {
  const cases: [string, () => unknown][] = [
    ["channels that do not divide", () => new Conv2d(3, 16, 3, { groups: 2 })],
    ["no channels", () => new Conv2d(0, 16, 3)],
    ["half a window", () => new Conv2d(3, 16, [3, 1.5])],
    ["half a row of zeros", () => new Conv2d(3, 16, 3, { padding: 0.5 })],
    ["the same size at stride 2", () => new Conv2d(3, 16, 3, { padding: "same", stride: 2 })],
    ["no features", () => new Linear(4, -1)],
    ["no such momentum", () => new BatchNorm2d(4, { momentum: 10 })],
    ["no such probability", () => new Dropout(1.5)],
    ["no stride", () => new MaxPool2d(2, { stride: 0 })],
    ["no fan", () => init.kaimingNormal(zeros([4]))],
  ];
  it("with both values", () => {
    const messages = cases.map(([what, make]) => {
      try {
        make();
      } catch (error) {
        return `${what}: ${(error as Error).name}: ${(error as Error).message}`;
      }
      return `${what}: nothing`;
    });
    expect(messages.join("\n")).toMatchInlineSnapshot(`
      "channels that do not divide: RangeError: Conv2d: 3 channels in and 16 out do not divide into 2 groups.
      no channels: RangeError: Conv2d: inChannels has to be a whole number ≥ 1, not 0.
      half a window: RangeError: Conv2d: kernelSize is [3,1.5], not whole numbers ≥ 1 for [rows, columns].
      half a row of zeros: RangeError: Conv2d: padding is [0.5,0.5], not whole numbers ≥ 0 for [rows, columns].
      the same size at stride 2: RangeError: Conv2d: padding "same" needs stride 1, not [2,2].
      no features: RangeError: Linear: outFeatures has to be a whole number ≥ 1, not -1.
      no such momentum: RangeError: BatchNorm2d: momentum is 10, not in [0, 1].
      no such probability: RangeError: Dropout: p is 1.5, not in [0, 1].
      no stride: RangeError: MaxPool2d: stride is [0,0], not whole numbers ≥ 1 for [rows, columns].
      no fan: ShapeError: kaimingNormal: x has 1 axes, but a fan takes 2 or more: [R, S, C / groups, O] or [in, out]. x is [4]."
    `);
  });
});
