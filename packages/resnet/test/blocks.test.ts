import { backward, init, scope, tensor } from "@shadegrad/tensor";
import { evaluate, type Layer, loadStateDict, namedParameters, stateDict, train } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, it } from "vitest";
import { relativeError } from "../../tensor/test/compare.ts";
import { BottleneckResidualBlock, ResidualBlock, ResNetBase, ShortcutProjection } from "../src/index.ts";
import { fixturesOf, loadFixture, stateOf } from "./fixture.ts";

/** Arguments as the fixtures name them. */
interface Attrs {
  inputs: number;
  bottleneck: number;
  outputs: number;
  stride: number;
  n_blocks: number[];
  n_channels: number[];
  bottlenecks?: number[];
  img_channels?: number;
  first_kernel_size?: number;
}

const builders: Record<string, (attrs: Attrs) => Layer> = {
  shortcut_projection: ({ inputs, outputs, stride }) => new ShortcutProjection(inputs, outputs, stride),
  residual_block: ({ inputs, outputs, stride }) => new ResidualBlock(inputs, outputs, stride),
  bottleneck_residual_block: ({ inputs, bottleneck, outputs, stride }) =>
    new BottleneckResidualBlock(inputs, bottleneck, outputs, stride),
  resnet_base: ({ n_blocks, n_channels, bottlenecks, img_channels = 3, first_kernel_size = 7 }) =>
    new ResNetBase({
      nBlocks: n_blocks,
      nChannels: n_channels,
      bottlenecks,
      imgChannels: img_channels,
      firstKernelSize: first_kernel_size,
    }),
};

beforeAll(async () => {
  await init();
});

describe("PyTorch's answers", () => {
  it.each(fixturesOf("blocks"))("$file within $tol", async ({ file, op, tol }) => {
    const fixture = await loadFixture(file);
    const given = (name: string) => fixture.tensors.get(name)!;
    const model = builders[op]!(fixture.attrs as unknown as Attrs);
    loadStateDict(model, stateOf(fixture, "state."), { layout: "torch" });
    const x = tensor(given("x").data, given("x").shape, { requiresGrad: true });

    evaluate(model);
    const found = new Map<string, ArrayLike<number>>();
    found.set("y_eval", await scope(() => model.forward(x)).data());

    train(model);
    const y = scope(() => {
      const y = model.forward(x);
      backward(y, tensor(given("dy").data, y.shape));
      return y;
    });
    found.set("y", await y.data());
    found.set("dx", await x.grad!.data());
    for (const [name, value] of await gradients(model)) found.set(`grad.${name}`, value);
    for (const [name, tensor] of stateDict(model)) {
      if (!tensor.requiresGrad) found.set(`after.${name}`, await tensor.data());
    }

    const expected = [...fixture.tensors.keys()].filter((name) => !/^(state\.|x$|dy$)/.test(name));
    expect([...found.keys()].sort()).toEqual(expected.sort());
    for (const name of expected) {
      const error = relativeError(found.get(name)!, given(name).data);
      expect(error, `${name} is off by ${error}`).toBeLessThanOrEqual(tol);
    }
  });
});

/** Gradients by name, in PyTorch's layout. */
async function gradients(model: object): Promise<Map<string, ArrayLike<number>>> {
  const found = new Map<string, ArrayLike<number>>();
  for (const [name, { grad, shape }] of namedParameters(model)) {
    const data = (await grad!.data()) as Float32Array;
    found.set(name, toTorch(data, shape));
  }
  return found;
}

/** [R, S, C, O] → [O, C, R, S]; other shapes stay. */
function toTorch(data: Float32Array, shape: readonly number[]): Float32Array {
  if (shape.length !== 4) return data;
  const [R, S, C, O] = shape as [number, number, number, number];
  const moved = new Float32Array(data.length);
  for (let i = 0, r = 0; r < R; r++)
    for (let s = 0; s < S; s++)
      for (let c = 0; c < C; c++)
        for (let o = 0; o < O; o++) moved[((o * C + c) * R + r) * S + s] = data[i++]!;
  return moved;
}
