import { type Located, type ResNet, ShortcutPadding, summaryRow } from "@shadegrad/resnet";
import type { Tensor } from "@shadegrad/tensor";
import { BatchNorm2d, Conv2d, Identity, Linear, MaxPool2d } from "@shadegrad/tensor/nn";
import type { InsideLayer, InsidePart } from "../../worker-client/messages/inside.ts";

/** A part of the net before it has run. */
export type NetPart = Pick<InsidePart, "name" | "title" | "stage" | "shortcut">;

/** The stem, each block and the head, named by their first layer. */
export function partsOf({ base, options }: ResNet): NetPart[] {
  let stage = 0;
  let inStage = 0;
  const blocks = base.blocks.map((block, i) => {
    while (inStage >= options.nBlocks[stage]!) {
      stage++;
      inStage = 0;
    }
    inStage++;
    const { shortcut } = block;
    const kind = shortcut === undefined ? "none" : shortcut instanceof Identity ? "identity" : "changing";
    return {
      name: `base.blocks.${i}`,
      title: `Block ${stage + 1}.${inStage}`,
      stage,
      shortcut: kind,
    } as const;
  });
  return [
    { name: "base.conv", title: "Stem", stage: undefined, shortcut: "none" },
    ...blocks,
    { name: "fc", title: "Head", stage: undefined, shortcut: "none" },
  ];
}

/** Names of layer classes, since bundlers shorten the classes' own. */
const KINDS = [
  [Conv2d, "convolution"],
  [BatchNorm2d, "batch norm"],
  [Linear, "linear"],
  [MaxPool2d, "max pool"],
  [ShortcutPadding, "zeros for channels"],
] as const;

/** Type, output and work of a layer whose output is `y`. */
export function describeLayer({ name, layer }: Located, y: Tensor): InsideLayer {
  const { shape, parameters, multiplyAdds, bytes } = summaryRow(name, layer, y);
  const type = KINDS.find(([kind]) => layer instanceof kind)?.[1] ?? "layer";
  const { weight } = layer as Partial<Conv2d>;
  const window = weight?.shape.length === 4 ? weight.shape.slice(0, 2) : undefined;
  return { name, type, shape, parameters, multiplyAdds, bytes, window };
}
