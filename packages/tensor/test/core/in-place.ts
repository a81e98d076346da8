import { fill, fillParams } from "@shadegrad/kernels-wgsl/fill";
import { run } from "../../src/core/run.ts";
import type { Tensor } from "../../src/index.ts";

/** Overwrite a parameter in place, as an optimizer's step does. */
export function optimizerLike(parameter: Tensor): void {
  run(fill, fillParams("f32", parameter.size, 7), [], { y: parameter });
}
