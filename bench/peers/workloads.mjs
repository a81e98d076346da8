/**
 * Workloads to time. `call` is the wait of a user: images in, logits out; or a training step whose loss is read.
 *
 * @typedef {{ kind: "infer", net: string, batch: number, cold?: boolean }} Inference
 * @typedef {{ kind: "train", net: string, batch: number, lr: number, momentum: number }} Training
 * @typedef {{ kind: "conv2d", N: number, C: number, O: number, R: number, stride: number, side: number, repeats: number }} Convolution
 * @typedef {{ kind: "matmul", side: number, repeats: number }} Product
 * @typedef {(Inference | Training | Convolution | Product) & { name: string }} Workload
 */

/**
 * A kernel is called so many times, each with its own weights, before it is waited for: sending the input, reading a
 * number back and waiting cost next to nothing then.
 */
const REPEATS = 4;

/** @type {(net: string, title: string, batch: number) => Workload} */
const inference = (net, title, batch) => ({
  ...{ name: `${title} 224², batch ${batch}`, kind: "infer", net, batch },
});

/** @type {(shape: number[]) => Workload} */
const convolution = ([R, C, O, side, stride = 1, N = 1]) => ({
  name: `conv2d ${R}×${R}${stride > 1 ? ` / ${stride}` : ""} ${C}→${O} ${side}²${N > 1 ? ` ×${N}` : ""}`,
  ...{ kind: "conv2d", N, C, O, R, stride, side, repeats: REPEATS },
});

/** @type {Workload[]} */
export const WORKLOADS = [
  inference("resnet18", "ResNet-18", 1),
  inference("resnet50", "ResNet-50", 1),
  inference("resnet50", "ResNet-50", 8),
  { ...inference("resnet18", "ResNet-18", 1), name: "ResNet-18, everything cold", cold: true },
  {
    ...{ name: "training step ResNet-20 32², batch 32", kind: "train", net: "resnet20" },
    ...{ batch: 32, lr: 0.01, momentum: 0.9 },
  },
  ...[
    [3, 64, 64, 56],
    [3, 128, 128, 28],
    [3, 256, 256, 14],
    [3, 512, 512, 7],
    [1, 64, 256, 56],
    [1, 256, 64, 56],
    [1, 1024, 256, 14],
    [1, 512, 2048, 7],
    [7, 3, 64, 224, 2],
    [3, 16, 16, 32, 1, 32],
  ].map(convolution),
  ...[512, 1024].map((side) => ({ name: `matmul ${side}³`, kind: "matmul", side, repeats: REPEATS })),
];

/**
 * Multiplications and additions of a kernel, all its repeats together.
 *
 * @param {Workload} workload
 */
export function flopsOf(workload) {
  if (workload.kind === "matmul") return 2 * workload.side ** 3 * workload.repeats;
  if (workload.kind !== "conv2d") return undefined;
  const { N, C, O, R, stride, side, repeats } = workload;
  return 2 * N * Math.ceil(side / stride) ** 2 * O * R * R * C * repeats;
}
