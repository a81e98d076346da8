import { beforeAll, expect, it } from "vitest";
import {
  add,
  backward,
  compile,
  type Device,
  init,
  mul,
  openDevice,
  relu,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d } from "../../src/nn/index.ts";

/** One that takes the launches of a software rasteriser, and one that takes those of a GPU, on the same adapter. */
let walked: Device;
let tiled: Device;

beforeAll(async () => {
  walked = await init({ quiet: true });
  tiled = await openDevice({ quiet: true });
  Object.assign(tiled, { adapter: { ...tiled.adapter, software: false } });
});

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i));

/** A norm, a residual sum and a ReLU after it, and all that comes of them. */
async function outcome(device: Device, C: number, isCompiled: boolean, offset = 0) {
  const rows = 210;
  const shape = [rows, C];
  const bn = new BatchNorm2d(C, { device, momentum: 0.3 });
  const x = tensor(
    wave(rows * C, 1).map((value) => offset + value),
    shape,
    { device, requiresGrad: true },
  );
  const [other, weights] = [2, 3].map((seed) => tensor(wave(rows * C, seed), shape, { device })) as [
    Tensor,
    Tensor,
  ];
  const { launches } = device.counts;
  const step = (other: Tensor) => {
    const y = relu(add(bn.forward(add(x, other)), other));
    backward(sum(mul(y, weights)));
    const gradients = [x, bn.weight, bn.bias].map((leaf) => {
      const { grad } = leaf;
      leaf.grad = undefined;
      return grad!;
    });
    return [y, ...gradients];
  };
  const f = compile(step, {});
  const results = isCompiled ? await f(other) : scope(() => step(other));
  const numbers = await Promise.all([...results, bn.runningMean, bn.runningVar].map((part) => part.data()));
  return {
    numbers,
    batches: await bn.numBatchesTracked.item(),
    launches: device.counts.launches - launches,
    steps: f.plan?.steps.map(({ kernel }) => kernel) ?? [],
  };
}

const NAMES = ["y", "dx", "dgamma", "dbeta", "runningMean", "runningVar"];

it.each([
  [16, false, 0],
  [37, false, 0],
  [16, true, 0],
  [20, false, 1000],
])("%d channels are normalized as by walks (compiled: %s, mean %d)", async (C, isCompiled, mean) => {
  const expected = await outcome(walked, C, false, mean);
  const found = await outcome(tiled, C, isCompiled, mean);
  expect(found.batches).toBe(1);
  // The mean of numbers around 1000 is rounded to 6e-5.
  const digits = mean > 0 ? 3 : 4;
  for (const [i, name] of NAMES.entries()) {
    for (const [k, value] of found.numbers[i]!.entries()) {
      expect(value, `${name}[${k}]`).toBeCloseTo(expected.numbers[i]![k]!, digits);
    }
  }
});

it("takes two launches each way, of which the second has the sum and the ReLU in it", async () => {
  const { steps } = await outcome(tiled, 16, true);
  expect(steps.filter((kernel) => /Moments|ormalize|Gradients|GradBatch/.test(kernel))).toEqual([
    "tileMoments",
    "normalizeBatch",
    "tileGradients",
    "inputGradBatch",
  ]);
});

it("gives the same bits at each call", async () => {
  const [first, second] = [await outcome(tiled, 20, false), await outcome(tiled, 20, false)];
  expect(second.numbers).toEqual(first.numbers);
});
