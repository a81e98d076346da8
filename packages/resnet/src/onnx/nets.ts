import type { Layer } from "@shadegrad/tensor/nn";
import {
  BottleneckResidualBlock,
  type ResidualBlock,
  ShortcutPadding,
  ShortcutProjection,
} from "../blocks.ts";
import type { FastNet } from "../fast/fastnet.ts";
import type { ResNet } from "../zoo.ts";
import type { LayerWriter } from "./layers.ts";

/** Further than any image reaches. */
const TO_THE_END = 2n ** 63n - 1n;

/** `[N, C, H, W]` → `[N, classes]`, named `output` */
export function writeResNet(writer: LayerWriter, net: ResNet, input: string, output: string): void {
  const { graph } = writer;
  const { conv, bn, blocks } = net.base;
  let x = writer.convNorm(conv, bn, input);
  if (net.options.stemRelu) x = graph.op("Relu", "/relu", [x]);
  if (net.options.stemPool) x = maxPool(writer, "/maxpool", x, { kernel: 3, stride: 2, padding: 1 });
  for (const block of blocks) x = writeBlock(writer, block, x);
  x = graph.op("GlobalAveragePool", "/avgpool", [x]);
  x = graph.op("Flatten", "", [x], { axis: 1 });
  writer.linear(net.fc, x, output);
}

function writeBlock(writer: LayerWriter, block: ResidualBlock | BottleneckResidualBlock, x: string): string {
  const { graph } = writer;
  const scope = writer.scope(block);
  const relu = (value: string) => graph.op("Relu", `${scope}/relu`, [value]);
  let y = relu(writer.convNorm(block.conv1, block.bn1, x));
  y = writer.convNorm(block.conv2, block.bn2, y);
  if (block instanceof BottleneckResidualBlock) y = writer.convNorm(block.conv3, block.bn3, relu(y));
  if (!block.shortcut) return relu(y);
  return relu(graph.op("Add", scope, [y, writeShortcut(writer, block.shortcut, x, scope)]));
}

function writeShortcut(writer: LayerWriter, shortcut: Layer, x: string, scope: string): string {
  if (shortcut instanceof ShortcutProjection) return writer.convNorm(shortcut.conv, shortcut.bn, x);
  return shortcut instanceof ShortcutPadding ? writePadding(writer, shortcut, x, `${scope}/shortcut`) : x;
}

/** Every stride-th pixel, and channels of zeros before and after. */
function writePadding(
  { graph }: LayerWriter,
  { stride, before, after }: ShortcutPadding,
  x: string,
  scope: string,
): string {
  const shared = (name: string, values: readonly (number | bigint)[]) =>
    graph.integers(`shortcut.${name}`, values);
  const window = [
    shared("starts", [0, 0]),
    shared("ends", [TO_THE_END, TO_THE_END]),
    shared("axes", [2, 3]),
    shared(`steps_${stride}`, [stride, stride]),
  ];
  const pixels = stride === 1 ? x : graph.op("Slice", scope, [x, ...window]);
  if (before + after === 0) return pixels;
  const pads = shared(`pads_${before}_${after}`, [0, before, 0, 0, 0, after, 0, 0]);
  return graph.op("Pad", scope, [pixels, pads]);
}

/** `[N, 3, 32, 32]` → `[N, classes]`, named `output` */
export function writeFastNet(writer: LayerWriter, net: FastNet, input: string, output: string): void {
  const { graph } = writer;
  let x = gelu(writer, "/gelu", writer.conv(net.whitening, input));
  for (const group of net.groups) {
    const scope = writer.scope(group);
    x = maxPool(writer, `${scope}/pool`, writer.conv(group.conv1, x), { kernel: 2, stride: 2, padding: 0 });
    x = gelu(writer, `${scope}/gelu`, writer.norm(group.norm1, x));
    x = gelu(writer, `${scope}/gelu`, writer.convNorm(group.conv2, group.norm2, x));
  }
  x = maxPool(writer, "/pool", x, { kernel: 3, stride: 3, padding: 0 });
  x = graph.op("Flatten", "", [x], { axis: 1 });
  x = writer.linear(net.fc, x);
  graph.op("Mul", "", [x, scalar(writer, "scale", 1 / 9)], {}, output);
}

/** x · ½ · (1 + erf(x / √2)); ONNX has an operator for it from opset 20 on. */
function gelu(writer: LayerWriter, scope: string, x: string): string {
  const { graph } = writer;
  const erf = graph.op("Erf", scope, [graph.op("Mul", scope, [x, scalar(writer, "root", Math.SQRT1_2)])]);
  const below = graph.op("Add", scope, [erf, scalar(writer, "one", 1)]);
  return graph.op("Mul", scope, [graph.op("Mul", scope, [x, below]), scalar(writer, "half", 0.5)]);
}

const scalar = ({ graph }: LayerWriter, name: string, value: number): string =>
  graph.weights(`constant.${name}`, { shape: [], values: async () => [value] });

function maxPool(
  { graph }: LayerWriter,
  scope: string,
  x: string,
  { kernel, stride, padding }: Readonly<Record<"kernel" | "stride" | "padding", number>>,
): string {
  const attributes = {
    kernel_shape: [kernel, kernel],
    pads: [padding, padding, padding, padding],
    strides: [stride, stride],
  };
  return graph.op("MaxPool", scope, [x], attributes);
}
