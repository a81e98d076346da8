import { checkChoice, checkOptions } from "@shadegrad/tensor";
import { toBytes } from "@shadegrad/tensor/formats";
import { FastNet } from "../fast/fastnet.ts";
import { torchvisionName } from "../names.ts";
import type { ResNet } from "../zoo.ts";
import { OnnxGraph, type Shape } from "./graph.ts";
import { LayerWriter } from "./layers.ts";
import { writeFastNet, writeResNet } from "./nets.ts";

export interface OnnxOptions {
  /** `fold` makes a batch norm part of the convolution before it, as PyTorch's exporter does; `keep` writes it as it is. `fold` if absent. */
  batchNorm?: "fold" | "keep";
  /** Rows and columns of the image, for engines that want them fixed; any if absent. */
  imageSize?: readonly [height: number, width: number];
  /** Strings to keep with the weights. */
  metadata?: Readonly<Record<string, string>>;
}

const OPTIONS: readonly (keyof OnnxOptions)[] = ["batchNorm", "imageSize", "metadata"];

/**
 * A net in evaluation mode as an ONNX model of opset 17, with its weights.
 *
 * It maps `input`, `[batch, channels, height, width]` as PyTorch has it, to `output`, the scores `[batch, classes]`. Tensors
 * have their names in PyTorch's state dict, operators those of PyTorch's exporter. The model's metadata have `labels` and
 * `preprocessing` as JSON, if the net knows them.
 */
export const exportOnnx = (
  net: ResNet | FastNet,
  options: OnnxOptions = {},
): Promise<Uint8Array<ArrayBuffer>> => toBytes(onnxChunks(net, options));

/** The bytes of {@link exportOnnx}, a tensor at a time: memory holds no second copy of the net. */
export function onnxChunks(net: ResNet | FastNet, options: OnnxOptions = {}): AsyncGenerator<Uint8Array> {
  checkOptions("exportOnnx", options, OPTIONS);
  const { batchNorm = "fold", imageSize } = options;
  checkChoice("exportOnnx", "batchNorm", batchNorm, ["fold", "keep"]);
  const isFast = net instanceof FastNet;
  const graph = new OnnxGraph();
  const rename = isFast ? (name: string) => name : (name: string) => torchvisionName(name, net.options);
  const writer = new LayerWriter(graph, net, rename, batchNorm === "fold");
  if (isFast) writeFastNet(writer, net, "input", "output");
  else writeResNet(writer, net, "input", "output");
  const image: Shape = imageSize ?? (isFast ? [32, 32] : ["height", "width"]);
  return graph
    .model(
      isFast ? "FastNet" : "ResNet",
      ["input", ["batch", net.options.imgChannels ?? 3, ...image]],
      ["output", ["batch", net.options.classes]],
      { ...notes(net), ...options.metadata },
    )
    .chunks();
}

function notes(net: ResNet | FastNet): Record<string, string> {
  const { labels = undefined, preprocessing = undefined } = net instanceof FastNet ? {} : net;
  return {
    ...(labels && { labels: JSON.stringify(labels) }),
    ...(preprocessing && { preprocessing: JSON.stringify(preprocessing) }),
  };
}
