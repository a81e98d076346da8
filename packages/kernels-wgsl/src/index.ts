export { bits, type Scalar } from "./bits.ts";
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
  Workgroups,
} from "./kernel.ts";
export { choose, filling, fits, KernelError, layout, specialize, spread, strided } from "./kernel.ts";
export { type LaunchCounts, Launcher, type LaunchOptions } from "./launch.ts";
export type { Copy, Planned, Program } from "./program.ts";
export { Stopwatch } from "./stopwatch.ts";
export type { Timing } from "./timing.ts";
export { kernelKey, type Tuned, tuningKey } from "./tuned.ts";
