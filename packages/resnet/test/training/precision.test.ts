import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { expect, it } from "vitest";
import { train } from "../../src/index.ts";
import { colours, Small } from "./small.ts";

const EPOCHS = 50;

it("200 steps in f16 have the losses that they have in f32, to a hundredth", async ({ skip }) => {
  const device = await init({ quiet: true });
  skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
  const lossesIn = async (precision: "f16" | "f32"): Promise<number[]> => {
    const model = new Small();
    // At a rate of 0.05 the loss jumps now and then, at steps that rounding decides.
    const optimizer = new SGD(model, { lr: 0.01, momentum: 0.9, weightDecay: 1e-4 });
    const losses: number[] = [];
    await train({
      ...{ model, data: colours(64), epochs: EPOCHS, batchSize: 16, optimizer, precision },
      // Without it the loss falls to nothing, and a hundredth of that.
      labelSmoothing: 0.1,
      onProgress: (progress) => {
        if (progress.kind === "epoch") losses.push(progress.loss);
      },
    });
    optimizer.dispose();
    dispose(model);
    return losses;
  };
  const full = await lossesIn("f32");
  const half = await lossesIn("f16");
  expect(full).toHaveLength(EPOCHS);
  expect(half).not.toEqual(full);
  expect(full.at(-1)!, "it learns").toBeLessThan(0.75 * full[0]!);
  const differences = half.map((loss, i) => Math.abs(loss - full[i]!) / full[i]!);
  expect(Math.max(...differences), differences.map((d) => d.toExponential(1)).join(" ")).toBeLessThan(0.01);
});
