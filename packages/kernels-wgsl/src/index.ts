export { bits, type Scalar } from "./launch/bits.ts";
export { candidates, choose, ofRole } from "./launch/choose.ts";
export {
  BIAS,
  EPILOGUE_OPERANDS,
  type Epilogue,
  epilogueHoles,
  type OperandKind,
  substitute,
  uses,
} from "./launch/epilogue.ts";
export type {
  Adapter,
  AddedVariants,
  AnyVariant,
  ElementType,
  Hole,
  Holes,
  Interface,
  Kernel,
  ParamType,
  ParamValue,
  ParamValues,
  Rasteriser,
  RoleVariants,
  Stage,
  StagedVariant,
  Tuned,
  Variant,
  Variants,
  Workgroups,
} from "./launch/kernel.ts";
export {
  allVariants,
  filling,
  fits,
  KernelError,
  layout,
  specialize,
  spread,
  strided,
} from "./launch/kernel.ts";
export { type LaunchCounts, Launcher, type LaunchOptions } from "./launch/launcher.ts";
export type { Placed } from "./launch/placed.ts";
export type { Copy, Planned, Program } from "./launch/program.ts";
export { Stopwatch } from "./launch/stopwatch.ts";
export { perLaunch, type Timing } from "./launch/timing.ts";
export { kernelKey, tuningKey } from "./launch/tuned.ts";
