import { beforeAll, describe, expect, it } from "vitest";
import { type Device, init, type Tensor, tensor } from "../../src/index.ts";
import { clipGradNorm, clipGradValue } from "../../src/optim/index.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

/** A parameter of that many elements, with a gradient. */
function withGradient(size: number, scale = 1): { w: Tensor; gradient: Float32Array } {
  const gradient = Float32Array.from({ length: size }, (_, i) => scale * Math.sin(i * i + size));
  const w = tensor(new Float32Array(size), [size], { requiresGrad: true });
  w.grad = tensor(gradient, [size]);
  return { w, gradient };
}

const norm = (gradients: Float32Array[]) => Math.hypot(...gradients.map((g) => Math.hypot(...g)));

describe("clipGradNorm", () => {
  it("scales all gradients alike, and gives the norm that they had", async () => {
    const made = [1, 7, 4096, 4097, 50_021].map((size) => withGradient(size));
    const expected = norm(made.map(({ gradient }) => gradient));
    const model = { layers: made.map(({ w }) => ({ w })) };
    const found = await clipGradNorm(model, 2).item();
    expect(found / expected).toBeCloseTo(1, 6);
    for (const { w, gradient } of made) {
      const clipped = await w.grad!.data();
      for (const i of [0, gradient.length >> 1, gradient.length - 1]) {
        expect(clipped[i]).toBeCloseTo((gradient[i]! * 2) / expected, 6);
      }
    }
    expect((await clipGradNorm(model, 2).item()) / 2).toBeCloseTo(1, 5);
  });

  it("leaves shorter ones as they are, to the bit", async () => {
    const { w, gradient } = withGradient(1000);
    clipGradNorm([w], 1e6);
    expect(await w.grad!.data()).toEqual(gradient);
  });

  it("shows a gradient that is no number", async () => {
    const { w } = withGradient(5);
    w.grad = tensor([1, 2, Number.NaN, 4, 5]);
    const found = clipGradNorm([w], 1);
    expect(await found.item()).toBeNaN();
    expect((await w.grad.data()).every(Number.isNaN)).toBe(true);
  });

  it("has no overflow on its way where gradients are halves", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const w = tensor([0, 0, 0, 0], { dtype: "f16", requiresGrad: true });
    w.grad = tensor([300, -400, 30_000, 40_000], { dtype: "f16" });
    const exact = Math.hypot(300, 400, 30_000, 40_000);
    expect((await clipGradNorm([w], 1000).item()) / exact).toBeCloseTo(1, 3);
    const clipped = await w.grad.data();
    expect(clipped[3]! / ((1000 * 40_000) / exact)).toBeCloseTo(1, 2);
    clipGradValue([w], 5);
    expect(Array.from(await w.grad.data(), (value) => Math.abs(value))).toEqual([5, 5, 5, 5]);
  });

  it("waits for nothing and leaves nothing behind", () => {
    const { w } = withGradient(9000);
    clipGradNorm([w], 1).dispose();
    const before = device.counts;
    for (let i = 0; i < 5; i++) clipGradNorm([w], 1).dispose();
    const { launches, submits, ...after } = device.counts;
    expect({ ...after, launches, submits }).toEqual({ ...before, launches, submits });
    expect(submits).toBe(before.submits);
  });

  it("says what is wrong", () => {
    const { w } = withGradient(1);
    expect(() => clipGradNorm([w], -1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: clipGradNorm: the limit is -1, not a number ≥ 0.]`,
    );
    w.grad = undefined;
    expect(() => clipGradNorm([w], 1)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: clipGradNorm: no parameter has a gradient. Call it between backward and the step.]`,
    );
  });
});

it("clipGradValue limits every element", async () => {
  const { w, gradient } = withGradient(1000, 3);
  clipGradValue([w], 0.5);
  expect(await w.grad!.data()).toEqual(gradient.map((value) => Math.min(0.5, Math.max(-0.5, value))));
});
