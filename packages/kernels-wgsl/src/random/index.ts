export { type DropoutParams, dropout, dropoutParams } from "./dropout.ts";
export {
  blocksOf,
  DISTRIBUTIONS,
  integerParams,
  normalParams,
  type RandomParams,
  random,
  uniformBits,
  uniformParams,
} from "./numbers.ts";
export {
  dropoutReference,
  integerReference,
  normalReference,
  uniformReference,
  wordsReference,
} from "./reference.ts";
export type { Stream } from "./stream.ts";
