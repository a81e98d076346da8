import type { ResNetOptions } from "./base.ts";

/**
 * The name that torchvision gives to a tensor of a `ResNet`: `base.blocks.3.shortcut.conv.weight` of a net
 * whose first stage has 3 blocks is `layer2.0.downsample.0.weight`.
 */
export function torchvisionName(name: string, { nBlocks }: Pick<ResNetOptions, "nBlocks">): string {
  const parts = name.split(".");
  if (parts[0] !== "base") return name; // the head, fc
  if (parts[1] !== "blocks") return [`${parts[1]}1`, ...parts.slice(2)].join("."); // the stem's conv and bn
  let block = Number(parts[2]);
  let stage = 0;
  while (block >= nBlocks[stage]!) block -= nBlocks[stage++]!;
  const rest = parts.slice(3).join(".");
  const inside = rest.replace(/^shortcut\.conv\b/, "downsample.0").replace(/^shortcut\.bn\b/, "downsample.1");
  return `layer${stage + 1}.${block}.${inside}`;
}
