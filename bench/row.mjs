import { tensor } from "@shadegrad/tensor";
import { buffers, randomValues } from "./buffers.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {{
 *   name: string,
 *   flops: number,
 *   bytes: number,
 *   prepare(device: Device): { run(i: number): void, dispose(): void },
 * }} Row
 */

// So many sets of inputs take turns: what a cache kept from the last run must not help.
const SETS = 3;

/**
 * A row for one launch, or for several that make up one result.
 *
 * @param {string} name
 * @param {{ kernel: object, params: object, buffers: readonly string[] }[]} launches with names of buffers
 * @param {Record<string, number>} lengths of the buffers, in floats
 * @returns {Row}
 */
export function kernelRow(name, launches, lengths) {
  return {
    name,
    ...launches[0].kernel.cost(launches[0].params),
    prepare(device) {
      const sets = Array.from({ length: SETS }, () => {
        const made = buffers(device, Object.values(lengths));
        return Object.fromEntries(Object.keys(lengths).map((key, i) => [key, made[i]]));
      });
      return {
        run(i) {
          const set = sets[i % SETS];
          for (const { kernel, params, buffers } of launches) {
            device.launcher.launch(
              kernel,
              params,
              buffers.map((key) => set[key]),
            );
          }
        },
        dispose() {
          for (const set of sets) for (const buffer of Object.values(set)) buffer.destroy();
        },
      };
    },
  };
}

/**
 * A row for an eager op of the tensor package, as a user calls it.
 *
 * @param {string} name
 * @param {{ flops: number, bytes: number }} cost
 * @param {readonly (readonly number[])[]} shapes
 * @param {(...inputs: import("@shadegrad/tensor").Tensor[]) => import("@shadegrad/tensor").Tensor} op
 * @returns {Row}
 */
export function opRow(name, { flops, bytes }, shapes, op) {
  return {
    name,
    flops,
    bytes,
    prepare(device) {
      const size = (shape) => shape.reduce((product, side) => product * side, 1);
      const sets = Array.from({ length: SETS }, (_, set) =>
        shapes.map((shape, i) =>
          tensor(randomValues(size(shape), set * shapes.length + i + 1), shape, { device }),
        ),
      );
      return {
        run: (i) => op(...sets[i % SETS]).dispose(),
        dispose: () => {
          for (const input of sets.flat()) input.dispose();
        },
      };
    },
  };
}
