import type { ResNet } from "@shadegrad/resnet";
import { type Compiled, compile, mean, noGrad, type Tensor } from "@shadegrad/tensor";

/** A part of a net whose time is told: the stem, a stage of blocks, or the head. */
export interface Part {
  readonly name: string;
  readonly run: Compiled<[Tensor], Tensor>;
}

/** A net, cut where the page tells times; each part is prepared when it runs for the first time. */
export function partsOf({ base, fc, options }: ResNet): Part[] {
  const part = (name: string, f: (x: Tensor) => Tensor): Part => ({
    name,
    run: compile((x: Tensor) => noGrad(() => f(x))),
  });
  let first = 0;
  const stages = options.nBlocks.map((count, stage) => {
    const blocks = base.blocks.slice(first, (first += count));
    return part(`stage ${stage + 1}`, (x) => blocks.reduce((y, block) => block.forward(y), x));
  });
  return [part("stem", (x) => base.stem(x)), ...stages, part("head", (x) => fc.forward(mean(x, [1, 2])))];
}
