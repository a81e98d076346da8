import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  backward,
  compile,
  init,
  keep,
  matmul,
  mul,
  noGrad,
  relu,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { SGD } from "../../src/optim/index.ts";

beforeAll(async () => {
  await init({ quiet: true });
});

describe("a plan's summary", () => {
  it("counts launches and bytes", async () => {
    const w = tensor(new Float32Array(16), [4, 4]);
    using f = compile((x: Tensor) => noGrad(() => mul(matmul(relu(matmul(x, w)), mul(w, 2)), 3)));
    expect(f.plan).toBeUndefined();
    (await f(tensor(new Float32Array(8), [2, 4]))).dispose();
    const { plan } = f;
    expect(plan).toMatchObject({
      ...{ recorded: 5, launches: 2, constant: 1, merged: 2 },
      // Four tensors of 2 × 4 and one of 4 × 4.
      bytesWithoutReuse: 4 * (4 * 8 + 16),
      constantBytes: 256,
      steps: [
        { kernel: expect.stringMatching(/matmul/), merged: 1 },
        { kernel: expect.stringMatching(/matmul/), merged: 1 },
      ],
    });
    const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
    expect(String(plan)).toBe(
      `2 launches a call of 5 recorded: 2 merged into others, 1 only when weights change; ${mebibytes(plan!.bytes)} MiB in place of 0.0, and 0.0 that last`,
    );
  });

  it("counts gradients once, though an optimizer packs them into one tensor", async () => {
    const weights = [2, 3].map((count) => keep(tensor(new Float32Array(count), { requiresGrad: true })));
    const optimizer = new SGD(weights, { lr: 0.5 });
    const bytes: number[] = [];
    for (const steps of [false, true]) {
      using step = compile((x: Tensor) => {
        const loss = add(sum(mul(weights[0]!, x)), sum(weights[1]!));
        backward(loss);
        if (steps) optimizer.step();
        optimizer.zeroGrad();
        return loss;
      });
      (await step(tensor([1, 2]))).dispose();
      bytes.push(step.plan!.bytesWithoutReuse);
    }
    expect(bytes[1]).toBe(bytes[0]);
    for (const weight of weights) weight.dispose();
  });
});

it("pipelines are counted as they are compiled, those of constant launches with the others", async () => {
  const w = tensor(new Float32Array(16), [4, 4]);
  const progress: [done: number, of: number][] = [];
  const f = (x: Tensor) => noGrad(() => matmul(relu(matmul(x, w)), mul(w, 2)));
  using compiled = compile(f, { onProgress: (...both) => progress.push(both) });
  (await compiled(tensor(new Float32Array(8), [2, 4]))).dispose();
  const { length } = progress;
  expect(length).toBeGreaterThan(0);
  expect(progress.map(([done]) => done)).toEqual(Array.from({ length }, (_, i) => i + 1));
  expect(progress.at(-1)).toEqual([length, length]);
});
