export type { PoolParams } from "./channels.ts";
export { avgPool, maxPool } from "./forward.ts";
export { avgPoolGrad, maxPoolGrad } from "./gradients.ts";
export { maxPoolIndex } from "./maxPoolIndex.ts";
export {
  avgPoolGradReference,
  avgPoolReference,
  maxPoolGradReference,
  maxPoolReference,
} from "./reference.ts";
