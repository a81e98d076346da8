import { backward, scope, tensor } from "@shadegrad/tensor";
import { randomValues } from "../random.mjs";
import { buffers } from "./buffers.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {import("@shadegrad/tensor").Tensor} Tensor
 * @typedef {import("@shadegrad/kernels-wgsl").Kernel<any>} Kernel
 * @typedef {{ flops: number, bytes: number }} Cost operations, and bytes that must move at least once
 *
 * @typedef {object} Prepared
 * @property {(i: number) => void} run what is measured, launched and not waited for; i counts up
 * @property {(i: number) => void} [before] what has to be done before each run, and is not measured
 * @property {() => void} dispose
 *
 * @typedef {Cost & { name: string, prepare(device: Device): Prepared }} Row
 */

// Number of sets of inputs that take turns, so that no run finds its inputs in a cache.
const SETS = 3;

/**
 * Cost of a launch, by its kernel's `cost`.
 *
 * @param {Kernel} kernel
 * @param {object} params
 * @returns {Cost}
 */
export const costOf = (kernel, params) => kernel.cost?.(params) ?? fail(`the cost of ${kernel.name}`);

/**
 * A row for one launch, or for several that make up one result.
 *
 * @param {string} name
 * @param {{ kernel: Kernel, params: object, buffers: readonly string[] }[]} launches with names of buffers
 * @param {Record<string, number>} lengths of the buffers, in floats
 * @returns {Row}
 */
export function kernelRow(name, launches, lengths) {
  const { kernel, params } = launches[0] ?? fail(name);
  return {
    name,
    ...costOf(kernel, params),
    prepare(device) {
      const sets = Array.from({ length: SETS }, () => {
        const made = buffers(device, Object.values(lengths));
        return Object.fromEntries(Object.keys(lengths).map((key, i) => [key, made[i]]));
      });
      return {
        run(i) {
          const set = sets[i % SETS] ?? {};
          for (const { kernel, params, buffers } of launches) {
            const bound = buffers.map((key) => ({ buffer: set[key] ?? fail(`${name}: ${key}`) }));
            device.launcher.launch(kernel, params, bound);
          }
        },
        dispose() {
          for (const set of sets) for (const buffer of Object.values(set)) buffer?.destroy();
        },
      };
    },
  };
}

/**
 * A row for an eager op of the tensor package, as a user calls it.
 *
 * @param {string} name
 * @param {Cost} cost
 * @param {readonly (readonly number[])[]} shapes
 * @param {(...inputs: Tensor[]) => unknown} op
 * @returns {Row}
 */
export function opRow(name, { flops, bytes }, shapes, op) {
  return {
    name,
    flops,
    bytes,
    prepare(device) {
      const sets = inputSets(device, shapes);
      return {
        run: (i) => scope(() => void op(...(sets[i % SETS] ?? []))),
        dispose: () => disposeAll(sets),
      };
    },
  };
}

/**
 * A row for the gradient of an op, which itself is run before and not measured. The first inputs, or as many as
 * `trained` says, require a gradient.
 *
 * @param {string} name
 * @param {Cost} cost of the gradient
 * @param {readonly (readonly number[])[]} shapes of the inputs
 * @param {(...inputs: Tensor[]) => Tensor} op
 * @param {number} [trained]
 * @returns {Row}
 */
export function gradRow(name, { flops, bytes }, shapes, op, trained = shapes.length) {
  return {
    name,
    flops,
    bytes,
    prepare(device) {
      const sets = inputSets(device, shapes);
      for (const set of sets) {
        for (const input of set.slice(0, trained)) input.requiresGrad = true;
      }
      const [shape, dys] = scope(() => {
        const { shape } = op(...(sets[0] ?? []));
        return [shape, inputSets(device, [shape])];
      });
      /** @type {Tensor | undefined} */
      let y;
      const forget = () => {
        y?.dispose();
        for (const { grad } of sets.flat()) grad?.dispose();
        for (const input of sets.flat()) input.grad = undefined;
      };
      return {
        before(i) {
          forget();
          y = op(...(sets[i % SETS] ?? []));
        },
        run(i) {
          if (!y) throw new Error(`${name}: there is no ${shape} to go back from`);
          backward(y, dys[i % SETS]?.[0]);
        },
        dispose() {
          forget();
          disposeAll([...sets, ...dys]);
        },
      };
    },
  };
}

/**
 * @param {Device} device
 * @param {readonly (readonly number[])[]} shapes
 */
function inputSets(device, shapes) {
  const size = (/** @type {readonly number[]} */ shape) => shape.reduce((product, side) => product * side, 1);
  return Array.from({ length: SETS }, (_, set) =>
    shapes.map((shape, i) =>
      tensor(randomValues(size(shape), set * shapes.length + i + 1), shape, { device }),
    ),
  );
}

/** @param {readonly (readonly Tensor[])[]} sets */
function disposeAll(sets) {
  for (const input of sets.flat()) input.dispose();
}

/** @returns {never} */
function fail(/** @type {string} */ what) {
  throw new Error(`bench: ${what} is missing`);
}
