import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readSafetensors, toBytes, writeSafetensors } from "../../src/formats/index.ts";
import {
  autocast,
  backward,
  compile,
  crossEntropy,
  type Device,
  init,
  manualSeed,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { dispose, stateDict } from "../../src/nn/index.ts";
import { Adam, AdamW, clipGradNorm, LossScaler, SGD } from "../../src/optim/index.ts";
import { batchOf, smallNet } from "../smallNet.ts";

let device: Device;
let canHalve = false;

beforeAll(async () => {
  device = await init({ quiet: true });
  canHalve = device.adapter.features.has("shader-f16");
});

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i));

/** A parameter of that many elements. */
const leaf = (length: number): Tensor => tensor(wave(length, 1), [length], { requiresGrad: true });

/** Give it a gradient. */
function pull(w: Tensor, values: Float32Array): void {
  w.grad?.dispose();
  w.grad = tensor(values, w.shape);
}

const KINDS = {
  SGD: (w: Tensor[]) => new SGD(w, { lr: 0.1, weightDecay: 0.01 }),
  "SGD with momentum": (w: Tensor[]) => new SGD(w, { lr: 0.1, momentum: 0.9, nesterov: true }),
  Adam: (w: Tensor[]) => new Adam(w, { lr: 0.1, weightDecay: 0.01 }),
  AdamW: (w: Tensor[]) => new AdamW(w, { lr: 0.1 }),
};

describe.each(Object.entries(KINDS))("%s", (_, make) => {
  it("moves as it does without a scale, to the bit", async () => {
    const [a, b] = [leaf(37), leaf(37)];
    const [plain, scaled] = [make([a]), make([b])];
    using scaler = new LossScaler({ initial: 1024 });
    for (let step = 0; step < 3; step++) {
      pull(a, wave(37, step));
      pull(
        b,
        wave(37, step).map((g) => 1024 * g),
      );
      plain.step();
      scaler.step(scaled);
    }
    expect(await b.data()).toEqual(await a.data());
    expect(await scaler.scale.item()).toBe(1024);
  });

  it.each([Infinity, -Infinity, Number.NaN])(
    "leaves all as it is where one gradient is %d",
    async (value) => {
      const [v, w] = [leaf(64), leaf(1001)];
      const optimizer = make([v, w]);
      using scaler = new LossScaler();
      const gradients = [wave(64, 2), wave(1001, 3)] as const;
      const move = (broken: boolean) => {
        pull(v, gradients[0]);
        pull(
          w,
          gradients[1].map((g, i) => (broken && i === 999 ? value : g)),
        );
        scaler.step(optimizer);
      };
      move(false);
      const memory = () => [...optimizer.stateDict()].filter(([, part]) => "storage" in part);
      const numbers = () => Promise.all([v, w, ...memory().map(([, x]) => x as Tensor)].map((x) => x.data()));
      const before = await numbers();
      move(true);
      expect(await numbers()).toEqual(before);
      expect(await scaler.scale.item()).toBe(2 ** 15);
      move(false);
      expect(await v.data()).not.toEqual(before[0]);
      expect(await scaler.scale.item()).toBe(2 ** 15);
    },
  );
});

describe("the scale", () => {
  it("is doubled after so many good steps without a bad one", async () => {
    const w = leaf(5);
    const optimizer = new SGD([w], { lr: 0.1 });
    using scaler = new LossScaler({ initial: 8, interval: 3 });
    const scales: number[] = [];
    for (const bad of [0, 0, 1, 0, 0, 0, 0, 0, 0, 1]) {
      pull(w, wave(5, 1).fill(bad ? Infinity : 1));
      scaler.step(optimizer);
      scales.push(await scaler.scale.item());
    }
    expect(scales).toEqual([8, 8, 4, 4, 4, 8, 8, 8, 16, 8]);
  });

  it("is that of all gradients of the loss, and of none once the step is done", async () => {
    const w = leaf(3);
    using scaler = new LossScaler({ initial: 4 });
    scaler.backward(sum(w));
    expect([...(await w.grad!.data())]).toEqual([4, 4, 4]);
    expect(() => scaler.backward(w)).toThrow("backward: a loss has one element, not 3");
  });

  it("goes on from its state, through a file", async () => {
    const w = leaf(2);
    const optimizer = new SGD([w], { lr: 0.1 });
    using scaler = new LossScaler({ initial: 64, interval: 3 });
    using resumed = new LossScaler({ interval: 3 });
    pull(w, wave(2, 1));
    scaler.step(optimizer);
    scaler.step(optimizer);
    resumed.loadStateDict(await readSafetensors(await toBytes(writeSafetensors(scaler.stateDict()))));
    resumed.step(optimizer);
    expect(await resumed.scale.item()).toBe(128);
    expect(() => resumed.loadStateDict(new Map())).toThrow(
      "LossScaler.loadStateDict: the state does not fit: 2 missing.\n  missing: good\n  missing: scale",
    );
  });
});

it("clips by the norm that gradients have without the scale", async () => {
  const [a, b] = [leaf(100), leaf(100)];
  const [plain, scaled] = [new SGD([a], { lr: 1 }), new SGD([b], { lr: 1 })];
  using scaler = new LossScaler({ initial: 256 });
  for (const most of [0.5, 100]) {
    pull(a, wave(100, 4));
    pull(
      b,
      wave(100, 4).map((g) => 256 * g),
    );
    clipGradNorm([a], most).dispose();
    plain.step();
    scaler.step([scaled], { clipNorm: most });
    const [x, y] = [await a.data(), await b.data()];
    for (const i of [0, 50, 99]) expect(y[i]).toBeCloseTo(x[i]!, 5);
  }
});

it("says what is wrong", () => {
  const w = leaf(1);
  using scaler = new LossScaler();
  expect(() => scaler.step(new SGD([w], { lr: 1 }))).toThrow(
    "LossScaler: no parameter has a gradient. Call it between backward and the step.",
  );
  expect(() => new LossScaler({ initial: 0 })).toThrow("LossScaler: initial is 0, not a number > 0.");
  expect(() => new LossScaler({ interval: 0.5 })).toThrow("LossScaler: interval is 0.5, not 1, 2, 3");
});

it("makes nothing new from step to step, and waits for nothing", async () => {
  const w = leaf(5000);
  const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
  using scaler = new LossScaler();
  const step = () => {
    pull(w, wave(5000, 1));
    scope(() => scaler.step(optimizer));
  };
  for (let i = 0; i < 3; i++) step();
  const { launches: _, submits, ...before } = device.counts;
  for (let i = 0; i < 5; i++) step();
  expect(device.counts).toMatchObject({ ...before });
  expect(device.counts.submits).toBeLessThan(submits + 10);
});

describe("a training with products in f16", () => {
  beforeEach(({ skip }) => skip(!canHalve, "no shader-f16"));

  const STEPS = 20;

  /** Losses and scales of a training, and the weights at its end. */
  async function trained(precision: "f16" | "f32", { initial = 2 ** 16, compiled = true } = {}) {
    manualSeed(7);
    const net = smallNet();
    const optimizer = new SGD(net, { lr: 0.1, momentum: 0.9, weightDecay: 1e-3 });
    using scaler = new LossScaler({ initial });
    const step = (x: Tensor, labels: Tensor) =>
      autocast(precision, () => {
        const loss = crossEntropy(net.forward(x), labels);
        if (precision === "f16") {
          scaler.backward(loss);
          scaler.step(optimizer);
        } else {
          backward(loss);
          optimizer.step();
        }
        optimizer.zeroGrad();
        return loss;
      });
    using fast = compile(step);
    const [losses, scales]: number[][] = [[], []];
    for (let i = 0; i < STEPS; i++) {
      const { x, labels } = batchOf(i);
      using loss = compiled ? await fast(x, labels) : scope(() => step(x, labels));
      losses!.push(await loss.item());
      scales!.push(await scaler.scale.item());
      x.dispose();
      labels.dispose();
    }
    const types = new Set([...stateDict(net).values()].map(({ dtype }) => dtype));
    const weights = await Promise.all([...stateDict(net).values()].map((w) => w.data()));
    optimizer.dispose();
    dispose(net);
    return { losses: losses!, scales: scales!, types: [...types].sort(), weights };
  }

  it("has the losses of one in f32, but for rounding, and weights in f32", async () => {
    const [half, full] = [await trained("f16"), await trained("f32")];
    expect(half.types).toEqual(["f32", "i32"]);
    expect(half.losses).not.toEqual(full.losses);
    half.losses.forEach((loss, i) => {
      expect(Math.abs(loss - full.losses[i]!), `step ${i + 1}: ${loss}, ${full.losses[i]}`).toBeLessThan(
        0.02,
      );
    });
    expect(half.losses.at(-1)).toBeLessThan(half.losses[0]! - 0.3);
  });

  it("is the same compiled and op by op", async () => {
    const [compiled, eager] = [await trained("f16"), await trained("f16", { compiled: false })];
    compiled.losses.forEach((loss, i) => {
      // Merged launches round to f16, 5e-4 apart, once in place of twice; 20 steps add to that.
      expect(loss).toBeCloseTo(eager.losses[i]!, 2);
    });
    expect(compiled.scales).toEqual(eager.scales);
  });

  it("leaves steps out that overflow, until the scale is small enough", async () => {
    const { losses, scales } = await trained("f16", { initial: 2 ** 24 });
    const reference = await trained("f16", { initial: 2 ** 12 });
    const left = scales.findIndex((scale, i) => scale === scales[i - 1]);
    expect(left).toBeGreaterThan(0);
    expect(scales.slice(0, left)).toEqual(Array.from({ length: left }, (_, i) => 2 ** (23 - i)));
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.2);
    expect(reference.scales).toEqual(reference.scales.map(() => 2 ** 12));
  });
});
