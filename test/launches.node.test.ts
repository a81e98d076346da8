import { backward, crossEntropy, init, tensor, zeros } from "@shadegrad/tensor";
import { dispose, train } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { expect, it, vi } from "vitest";
import { resolve } from "../packages/kernels-wgsl/src/launch/resolve.ts";
import { zoo } from "../packages/resnet/src/index.ts";
import { reduced } from "../packages/tensor/src/compile/plan.ts";
import { record } from "../packages/tensor/src/compile/record.ts";

// The variants of a GPU: software adapters have variants of their own.
vi.mock("../packages/tensor/src/gpu/adapter.ts", async (original) => {
  const real = await original<typeof import("../packages/tensor/src/gpu/adapter.ts")>();
  const openAdapter: typeof real.openAdapter = async (options) => {
    const opened = await real.openAdapter(options);
    return { ...opened, adapter: { ...opened.adapter, software: false, rasteriser: undefined } };
  };
  return { ...real, openAdapter };
});

const LIMIT = 65_535;

/** Dispatches of a compiled training step, by kernel: recorded and decided, but not run. */
async function dispatches(
  name: "resnet20" | "resnet50",
  batch: number,
  side: number,
): Promise<Map<string, number>> {
  const { adapter } = await init();
  expect(adapter.software).toBe(false);
  const model = zoo[name]();
  train(model);
  const optimizer = new SGD(model, { lr: 0.1, momentum: 0.9 });
  const x = zeros([batch, side, side, 3]);
  const labels = tensor(new Int32Array(batch));
  const { recording } = record(
    "test",
    (x, labels) => {
      const loss = crossEntropy(model.forward(x), labels);
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    },
    [x, labels],
  );
  const counts = new Map<string, number>();
  for (const { kernel, params, reads, writes, holes, epilogue, variant } of reduced(recording).varying) {
    const request = { kernel, params, buffers: reads.length + writes.length, holes, epilogue, variant };
    for (const step of resolve(request, adapter, LIMIT)) {
      counts.set(step.kernel.name, (counts.get(step.kernel.name) ?? 0) + 1);
    }
  }
  recording.recorder.release();
  for (const used of [x, labels]) used.dispose();
  optimizer.dispose();
  dispose(model);
  return counts;
}

it.each([
  ["resnet20", 128, 32, 138],
  ["resnet50", 32, 224, 348],
] as const)("a training step of %s × %i at %i² is %i launches", async (name, batch, side, expected) => {
  const counts = await dispatches(name, batch, side);
  const sum = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const listed = [...counts].sort(([, a], [, b]) => b - a).map(([kernel, count]) => `${kernel} ${count}`);
  expect(sum, listed.join(", ")).toBe(expected);
});
