import {
  type Conv2dParams,
  type Conv2dWeightGradParams,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  forwardTiles,
  inputGradTiles,
  weightGradTiles,
  weights,
} from "../../conv2d/index.ts";
import type { RoleVariants } from "../../launch/kernel.ts";
import { paddedForward, paddedWeightGrad } from "../pad-channels.ts";
import broadcast from "./broadcast.wgsl?raw";
import inputGradBroadcast from "./inputGradBroadcast.wgsl?raw";
import inputGradShuffle from "./inputGradShuffle.wgsl?raw";
import shuffle from "./shuffle.wgsl?raw";
import { preferred, registerTiles } from "./variants.ts";
import weightGradBroadcast from "./weightGradBroadcast.wgsl?raw";
import weightGradShuffle from "./weightGradShuffle.wgsl?raw";

const image = (p: Conv2dParams): number => p.N * p.H * p.W * p.C;
const result = (p: Conv2dParams): number => p.N * p.P * p.Q * p.O;

const ofForward = registerTiles<Conv2dParams>({
  ...{ shuffle, broadcast, tiles: forwardTiles },
  operands: (p) => ({ x: image(p), w: weights(p) }),
  result: (p) => [result(p), p.O],
});

export const forward: RoleVariants<Conv2dParams> = {
  variants: [...ofForward.fours, paddedForward(conv2d, ofForward.fours), ...ofForward.any],
  prefer: (p) => preferred(p.O / p.groups),
};

const ofInputGrad = registerTiles<Conv2dParams>({
  ...{ shuffle: inputGradShuffle, broadcast: inputGradBroadcast, tiles: inputGradTiles },
  operands: (p) => ({ dy: result(p), w: weights(p) }),
  result: (p) => [image(p), p.C],
});

export const inputGrad: RoleVariants<Conv2dParams> = {
  variants: [...ofInputGrad.fours, ...ofInputGrad.any],
  prefer: (p) => preferred(p.C / p.groups),
};

/** Count the channels of a row's taps as those of one tap, where they are neighbours in memory. */
function flattened<P extends Conv2dParams>(p: P): P {
  return p.groups === 1 && p.dilationCols === 1 ? { ...p, S: 1, C: p.S * p.C } : p;
}

const ofWeightGrad = registerTiles<Conv2dWeightGradParams>({
  ...{ shuffle: weightGradShuffle, broadcast: weightGradBroadcast },
  operands: (p) => ({ x: image(p), dy: result(p) }),
  fitsShuffle: ({ Q }) => Q >= 4,
  tiles: (p, rows, cols) => weightGradTiles(flattened(p), rows, cols),
  tilesOfAny: (p, rows, cols) => weightGradTiles(p.C < rows ? flattened(p) : p, rows, cols),
  narrowRows: 3,
});

export const weightGrad: RoleVariants<Conv2dWeightGradParams> = {
  variants: [
    ...ofWeightGrad.fours,
    paddedWeightGrad(conv2dWeightGrad, ofWeightGrad.fours),
    ...ofWeightGrad.any,
  ],
  prefer: (p) => preferred(p.O / p.groups),
};

export { conv2d, conv2dInputGrad, conv2dWeightGrad };
