import type { ResNet } from "@shadegrad/resnet";
import { type Compiled, compile, mean, noGrad, type Tensor } from "@shadegrad/tensor";

/** A piece of a net that is timed by itself: the stem, a stage of residual blocks, or the head. */
export interface Stage {
  readonly name: string;
  readonly run: Compiled<[Tensor], Tensor>;
}

/** A net cut into its stages, in order. Each is compiled at its first run. */
export function stagesOf({ base, fc, options }: ResNet): Stage[] {
  const stage = (name: string, f: (x: Tensor) => Tensor): Stage => ({
    name,
    run: compile((x: Tensor) => noGrad(() => f(x))),
  });
  let first = 0;
  const residual = options.nBlocks.map((count, i) => {
    const blocks = base.blocks.slice(first, (first += count));
    return stage(`stage ${i + 1}`, (x) => blocks.reduce((y, block) => block.forward(y), x));
  });
  const head = stage("head", (x) => fc.forward(mean(x, [1, 2])));
  return [stage("stem", (x) => base.stem(x)), ...residual, head];
}
