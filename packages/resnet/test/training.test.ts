import { backward, crossEntropy, init, scope, type Tensor, tensor } from "@shadegrad/tensor";
import { evaluate, Linear, loadStateDict, stateDict } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";
import { beforeAll, describe, expect, it } from "vitest";
import { ResNetBase } from "../src/index.ts";
import { fixturesOf, loadFixture, stateOf } from "./fixture.ts";

interface Attrs {
  model: { n_blocks: number[]; n_channels: number[]; first_kernel_size: number };
  classes: number;
  sgd: { lr: number; momentum: number; weight_decay: number };
}

beforeAll(async () => {
  await init();
});

describe("PyTorch's training run", () => {
  it.each(fixturesOf("training"))("$file: each step's loss within 1e-4", async ({ file }) => {
    const fixture = await loadFixture(file);
    const { model: options, classes, sgd } = fixture.attrs as unknown as Attrs;
    const base = new ResNetBase({
      nBlocks: options.n_blocks,
      nChannels: options.n_channels,
      firstKernelSize: options.first_kernel_size,
    });
    const fc = new Linear(base.outChannels, classes);
    const model = { base, fc, forward: (x: Tensor) => fc.forward(base.forward(x)) };
    loadStateDict(model, stateOf(fixture, "state."), { layout: "torch" });
    const optimizer = new SGD(model, { lr: sgd.lr, momentum: sgd.momentum, weightDecay: sgd.weight_decay });

    const x = fixture.tensors.get("x")!;
    const labels = fixture.tensors.get("labels")!;
    const [steps, ...batch] = x.shape as [number, ...number[]];
    const size = batch.reduce((a, b) => a * b, 1);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const loss = scope(() => {
        const images = tensor(x.data.slice(step * size, (step + 1) * size), batch);
        const classes = tensor(labels.data.slice(step * batch[0]!, (step + 1) * batch[0]!));
        const loss = crossEntropy(model.forward(images), classes);
        optimizer.zeroGrad();
        backward(loss);
        optimizer.step();
        return loss;
      });
      losses.push(await loss.item());
      loss.dispose();
    }
    const expected = fixture.tensors.get("loss_f64")!.data;
    const worst = Math.max(...losses.map((loss, i) => Math.abs(loss - expected[i]!) / expected[i]!));
    expect(worst).toBeLessThanOrEqual(1e-4);
    expect(stateDict(evaluate(model)).size).toBe(stateOf(fixture, "final.").size);
  });
});
