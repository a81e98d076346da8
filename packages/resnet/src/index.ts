export { ResNetBase, type ResNetOptions } from "./base.ts";
export {
  type BlockOptions,
  type BottleneckOptions,
  BottleneckResidualBlock,
  ResidualBlock,
  type Shortcut,
  ShortcutPadding,
  ShortcutProjection,
} from "./blocks.ts";
export * from "./zoo.ts";
