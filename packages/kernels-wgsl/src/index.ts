export { bits, type Scalar } from "./launch/bits.ts";
export { candidates, choose } from "./launch/choose.ts";
export type {
  Adapter,
  Hole,
  Holes,
  Interface,
  Kernel,
  ParamType,
  ParamValue,
  ParamValues,
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
export type { Copy, Placed, Planned, Program } from "./launch/program.ts";
export { Stopwatch } from "./launch/stopwatch.ts";
export type { Timing } from "./launch/timing.ts";
export { kernelKey, type Tuned, tuningKey } from "./launch/tuned.ts";
