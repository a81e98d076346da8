import {
  type Conv2dParams,
  type Conv2dWeightGradParams,
  conv2d,
  conv2dInputGrad,
  conv2dWeightGrad,
  forwardTiles,
  inputGradTiles,
  weights,
} from "../../conv2d/index.ts";
import type { RoleVariants } from "../../launch/kernel.ts";
import { padChannels, paddedForward, paddedWeightGrad } from "../pad-channels.ts";
import broadcast from "./broadcast.wgsl?raw";
import inputGradBroadcast from "./inputGradBroadcast.wgsl?raw";
import inputGradShuffle from "./inputGradShuffle.wgsl?raw";
import shuffle from "./shuffle.wgsl?raw";
import { preferByColumns, registerTiles } from "./variants.ts";
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
  variants: [...ofForward.vec4, paddedForward(conv2d, ofForward.vec4), ...ofForward.any],
  prefer: (p) => preferByColumns(p.O / p.groups),
};

const ofInputGrad = registerTiles<Conv2dParams>({
  ...{ shuffle: inputGradShuffle, broadcast: inputGradBroadcast, tiles: inputGradTiles },
  operands: (p) => ({ dy: result(p), w: weights(p) }),
  result: (p) => [image(p), p.C],
});

export const inputGrad: RoleVariants<Conv2dParams> = {
  variants: [...ofInputGrad.vec4, ...ofInputGrad.any],
  prefer: (p) => preferByColumns(p.C / p.groups),
};

/** Count the channels of a row's taps as those of one tap, where they are neighbours in memory. */
function flattened<P extends Conv2dParams>(p: P): P {
  return p.groups === 1 && p.dilationCols === 1 ? { ...p, S: 1, C: p.S * p.C } : p;
}

/** Tiles of the weight gradient, where the rows of each are channels of one tap. */
function weightGradTiles(p: Conv2dWeightGradParams, rows: number, cols: number): number {
  const { splits, R, S, C, O, groups } = p;
  return splits * R * S * groups * Math.ceil(C / groups / rows) * Math.ceil(O / groups / cols);
}

const ofWeightGrad = registerTiles<Conv2dWeightGradParams>({
  ...{ shuffle: weightGradShuffle, broadcast: weightGradBroadcast },
  operands: (p) => ({ x: image(p), dy: result(p) }),
  fitsShuffle: ({ Q }) => Q >= 4,
  tiles: (p, rows, cols) => weightGradTiles(flattened(p), rows, cols),
  tilesOfAny: (p, rows, cols) => weightGradTiles(p.C < rows ? flattened(p) : p, rows, cols),
  rowsFor16Columns: 3,
});

export const weightGrad: RoleVariants<Conv2dWeightGradParams> = {
  variants: [
    ...ofWeightGrad.vec4,
    paddedWeightGrad(conv2dWeightGrad, ofWeightGrad.vec4),
    ...ofWeightGrad.any,
  ],
  splitting: {
    busy: 256,
    shortest: 256,
    // Channels are padded to vectors of four.
    tiles: (p) => Math.ceil(weights(p.groups === 1 ? padChannels(p) : p) / 1024),
  },
  prefer: (p) => preferByColumns(p.O / p.groups),
};

export { conv2d, conv2dInputGrad, conv2dWeightGrad };
