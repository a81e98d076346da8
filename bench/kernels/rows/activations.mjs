/** @typedef {[N: number, side: number, C: number]} Activations */

/** Outputs of layers: of a ResNet-50 at 224², image by image, and of a ResNet-20 on batches of 32. @type {Activations[]} */
export const ACTIVATIONS = [
  [1, 112, 64],
  [1, 56, 256],
  [1, 28, 512],
  [1, 14, 1024],
  [1, 7, 2048],
  [32, 32, 16],
  [32, 16, 32],
  [32, 8, 64],
];

/** @param {Activations} activations */
export const named = ([N, side, C]) => `${side}² ${C} ×${N}`;

/** @param {Activations} activations @returns {number[]} */
export const shapeOf = ([N, side, C]) => [N, side, side, C];

/** @param {Activations} activations */
export const sizeOf = ([N, side, C]) => N * side * side * C;
