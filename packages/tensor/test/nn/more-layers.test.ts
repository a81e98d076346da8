import { beforeAll, describe, expect, test } from "vitest";
import {
  compile,
  gelu,
  init,
  manualSeed,
  noGrad,
  randn,
  silu,
  softmax,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  BatchNorm1d,
  ConvTranspose2d,
  dispose,
  Embedding,
  evaluate,
  GELU,
  GroupNorm,
  type Layer,
  LayerNorm,
  loadStateDict,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Tanh,
  torchStateDict,
  train,
  Upsample,
} from "../../src/nn/index.ts";

beforeAll(async () => {
  await init();
  manualSeed(3);
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

test("activations are their ops", async () => {
  const x = tensor([-2, -0.5, 0, 3]);
  const pairs: [Layer, Tensor][] = [
    [new GELU(), gelu(x)],
    [new SiLU(), silu(x)],
    [new Softmax(0), softmax(x, 0)],
  ];
  for (const [layer, y] of pairs) expect(await values(layer.forward(x))).toEqual(await values(y));
  const [halves, angles] = [new Sigmoid(), new Tanh()].map((layer) => layer.forward(tensor([0])));
  expect([await values(halves!), await values(angles!)]).toEqual([[0.5], [0]]);
});

describe("state names and shapes are PyTorch's", () => {
  const layers: Record<string, [layer: Layer & object, state: Record<string, number[]>]> = {};
  beforeAll(() => {
    Object.assign(layers, {
      LayerNorm: [new LayerNorm([4, 5]), { weight: [4, 5], bias: [4, 5] }],
      "LayerNorm without": [new LayerNorm(4, { affine: false }), {}],
      GroupNorm: [new GroupNorm(2, 6), { weight: [6], bias: [6] }],
      BatchNorm1d: [
        new BatchNorm1d(3),
        { weight: [3], bias: [3], running_mean: [3], running_var: [3], num_batches_tracked: [] },
      ],
      Embedding: [new Embedding(7, 3), { weight: [7, 3] }],
      ConvTranspose2d: [
        new ConvTranspose2d(4, 6, [2, 3], { groups: 2 }),
        { weight: [4, 3, 2, 3], bias: [6] },
      ],
    });
  });

  test.each(["LayerNorm", "LayerNorm without", "GroupNorm", "BatchNorm1d", "Embedding", "ConvTranspose2d"])(
    "%s",
    (name) => {
      const [layer, wanted] = layers[name]!;
      const found = [...torchStateDict(layer)].map(([name, { shape }]) => [name, [...shape]]);
      expect(Object.fromEntries(found)).toEqual(wanted);
      dispose(layer);
    },
  );
});

test("norms of examples have mean 0 and deviation 1", async () => {
  const x = randn([2, 3, 4, 6]);
  for (const layer of [new LayerNorm([4, 6]), new GroupNorm(1, 6)]) {
    const y = await values(noGrad(() => layer.forward(x)));
    const first = layer instanceof LayerNorm ? y.slice(0, 24) : y.slice(0, 72);
    const mean = first.reduce((a, b) => a + b, 0) / first.length;
    const variance = first.reduce((a, b) => a + (b - mean) ** 2, 0) / first.length;
    expect(mean).toBeCloseTo(0, 5);
    expect(variance).toBeCloseTo(1, 3);
    dispose(layer);
  }
  expect(() => new GroupNorm(4, 6)).toThrow("GroupNorm: 6 channels do not divide into 4 groups.");
  expect(() => new LayerNorm(6, { epss: 1 } as never)).toThrow(
    "LayerNorm: there is no option epss; did you mean eps?",
  );
});

test("Embedding looks vectors up, and they get a gradient", async () => {
  const layer = new Embedding(3, 2);
  loadStateDict(
    layer,
    new Map([["weight", { dtype: "f32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]),
  );
  expect(await values(layer.forward(tensor(Int32Array.of(2, 0, 2))))).toEqual([5, 6, 1, 2, 5, 6]);
  expect(layer.weight.requiresGrad).toBe(true);
  dispose(layer);
});

test("Upsample and ConvTranspose2d enlarge images", async () => {
  const net = new Sequential(
    new Upsample({ scale: 2 }),
    new ConvTranspose2d(3, 5, 4, { stride: 2, padding: 1 }),
  );
  expect(noGrad(() => net.forward(randn([1, 3, 4, 3]))).shape).toEqual([1, 12, 16, 5]);
  dispose(net);
});

test("a compiled function notices the mode of BatchNorm1d", async () => {
  const layer = new BatchNorm1d(2);
  const run = compile((x: Tensor) => noGrad(() => layer.forward(x)));
  const x = tensor([
    [1, 10],
    [3, 30],
  ]);
  train(layer);
  const learned = await values(await run(x));
  expect(learned.map(Math.round)).toEqual([-1, -1, 1, 1]);
  evaluate(layer);
  const used = await values(await run(x));
  expect(used[0]).toBeGreaterThan(0.5);
  run.dispose();
  dispose(layer);
});
