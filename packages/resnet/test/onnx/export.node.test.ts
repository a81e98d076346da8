import { assign, init, manualSeed, noGrad, rand, randn, type Tensor } from "@shadegrad/tensor";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import * as ort from "onnxruntime-web";
import { beforeAll, describe, expect, test } from "vitest";
import { batchNormsOf } from "../../src/checkpoints/load.ts";
import { exportOnnx, FastNet, ResNet, zoo } from "../../src/index.ts";

beforeAll(async () => {
  await init({ quiet: true });
  ort.env.logLevel = "error";
});

/** Batch norms as after a training: no mean is 0 and no deviation 1. */
function moveStatistics(net: object): void {
  for (const norm of batchNormsOf(net).values()) {
    const shape = norm.bias.shape;
    assign(norm.runningMean, randn(shape));
    assign(norm.runningVar, rand(shape));
    assign(norm.weight, rand(shape));
    assign(norm.bias, randn(shape));
  }
}

/** `[N, H, W, C]` → `[N, C, H, W]` */
function channelsFirst(data: ArrayLike<number>, [N, H, W, C]: readonly number[]): Float32Array {
  const out = new Float32Array(data.length);
  let at = 0;
  for (let n = 0; n < N!; n++)
    for (let c = 0; c < C!; c++)
      for (let p = 0; p < H! * W!; p++) out[at++] = data[(n * H! * W! + p) * C! + c]!;
  return out;
}

/** Largest difference of the scores from ONNX Runtime's, by the largest score. */
async function difference(net: ResNet | FastNet, x: Tensor, bytes: Uint8Array): Promise<number> {
  const [N, H, W, C] = x.shape as [number, number, number, number];
  const session = await ort.InferenceSession.create(bytes);
  const input = new ort.Tensor("float32", channelsFirst(await x.data(), x.shape), [N, C, H, W]);
  const { output } = await session.run({ input });
  const theirs = output!.data as Float32Array;
  await session.release();
  const scores = noGrad(() => net.forward(x));
  expect(output!.dims).toEqual(scores.shape);
  const ours = await scores.data();
  const largest = Math.max(...Array.from(ours, Math.abs));
  expect(largest).toBeGreaterThan(1e-3);
  return Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i]!))) / largest;
}

const names = Object.keys(zoo) as (keyof typeof zoo)[];

describe("ONNX Runtime gives the same scores", () => {
  test.each(names)("%s", async (name) => {
    manualSeed(5);
    const net = evaluate(zoo[name]());
    moveStatistics(net);
    const side = net.options.firstKernelSize === 3 ? 32 : 64;
    const x = randn([2, side, side + 3, 3]);
    for (const batchNorm of ["fold", "keep"] as const)
      expect(await difference(net, x, await exportOnnx(net, { batchNorm })), batchNorm).toBeLessThan(1e-5);
    dispose(net);
  });

  const others = {
    "v1's strides, biases, one channel": () =>
      new ResNet({
        ...{
          nBlocks: [1, 2],
          nChannels: [16, 32],
          bottlenecks: [8, 8],
          imgChannels: 1,
          strideAt: 1,
          groups: 4,
        },
        ...{ stemRelu: true, classes: 7 },
      }),
    "no shortcuts": () => zoo.resnet8({ shortcut: "none" }),
    "zeros after the channels": () => zoo.resnet8({ shortcut: "pad-end", classes: 3 }),
    "the fast recipe's net": () => new FastNet({ widths: [8, 12, 16] }),
  };
  test.each(Object.entries(others))("%s", async (_, make) => {
    manualSeed(6);
    const net = evaluate(make());
    moveStatistics(net);
    const x = randn([3, 32, 32, net.options.imgChannels ?? 3]);
    for (const batchNorm of ["fold", "keep"] as const)
      expect(await difference(net, x, await exportOnnx(net, { batchNorm })), batchNorm).toBeLessThan(1e-5);
    dispose(net);
  });
});

test("the image's size can be fixed; labels and preprocessing are in the metadata", async () => {
  const net = evaluate(zoo.resnet8({ classes: 2 }));
  net.labels = ["cat", "dog"];
  const bytes = await exportOnnx(net, { imageSize: [32, 48], metadata: { origin: "a test" } });
  const session = await ort.InferenceSession.create(bytes);
  expect(session.inputMetadata).toMatchObject([{ name: "input", shape: ["batch", 3, 32, 48] }]);
  expect(session.outputMetadata).toMatchObject([{ name: "output", shape: ["batch", 2] }]);
  const text = new TextDecoder("latin1").decode(bytes);
  for (const part of ['labels\x12\r["cat","dog"]', "origin\x12\x06a test"]) expect(text).toContain(part);
  dispose(net);
});

test("names are PyTorch's", async () => {
  const net = zoo.resnet18({ classes: 2 });
  const text = new TextDecoder("latin1").decode(await exportOnnx(net, { batchNorm: "keep" }));
  for (const name of [
    "conv1.weight",
    "layer2.0.downsample.1.running_var",
    "fc.bias",
    "/conv1/Conv_output_0",
    "/layer1/layer1.0/conv1/Conv",
    "/layer1/layer1.0/relu/Relu_1",
    "/layer2/layer2.0/downsample/downsample.0/Conv",
    "/layer4/layer4.1/Add",
    "/Flatten",
  ])
    expect(text).toContain(name);
  dispose(net);
});

test("an unknown way with batch norms, or option, is refused", async () => {
  const net = zoo.resnet8();
  const wrong = { batchNorm: "drop" } as never;
  expect(() => exportOnnx(net, wrong)).toThrow(
    new RangeError("exportOnnx: batchNorm is drop; there are fold, keep."),
  );
  expect(() => exportOnnx(net, { batchnorm: "keep" } as never)).toThrow(
    "exportOnnx: there is no option batchnorm; did you mean batchNorm?",
  );
  dispose(net);
});
