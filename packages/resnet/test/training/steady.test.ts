import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { expect, it } from "vitest";
import { train } from "../../src/index.ts";
import { colours, Small, sgd } from "./small.ts";

// In a file of its own: what other tests forgot to free would come to the pool at any time.
it("a training makes no GPU object in steady state", async () => {
  const device = await init();
  const model = new Small();
  const optimizer = sgd(model);
  const counts: number[] = [];
  await train({
    model,
    data: colours(16),
    epochs: 20,
    batchSize: 8,
    optimizer,
    onProgress: ({ kind }) => {
      if (kind !== "epoch") return;
      const { pipelines, bindGroups, buffers } = device.counts;
      counts.push(pipelines + bindGroups + buffers);
    },
  });
  expect(counts).toHaveLength(20);
  expect(new Set(counts.slice(10)).size, String(counts)).toBe(1);
  optimizer.dispose();
  dispose(model);
});
