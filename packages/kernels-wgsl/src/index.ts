export { choose, fits, layout, specialize, spread, strided, KernelError } from "./kernel.ts";
export type { Adapter, Hole, Holes, Kernel, ParamType, ParamValue, ParamValues, Variant, Workgroups } from "./kernel.ts";
export { Launcher, type LaunchCounts, type LaunchOptions } from "./launch.ts";
export type { Timing } from "./timing.ts";
