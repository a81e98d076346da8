import { tensor } from "@shadegrad/tensor";
import { parameter } from "@shadegrad/tensor/nn";
import { Adam, SGD } from "@shadegrad/tensor/optim";
import { randomValues } from "../../random.mjs";

/** Steps of optimizers on the largest and on the smallest weights of ResNets. @returns {import("../row.mjs").Row[]} */
export const optimizers = () =>
  [3 * 3 * 512 * 512, 3 * 3 * 16 * 16].flatMap((size) => [
    step(
      `SGD momentum ${size}`,
      size,
      { flops: 6 * size, bytes: 20 * size },
      (w) => new SGD(w, { lr: 1e-6, momentum: 0.9 }),
    ),
    step(`Adam ${size}`, size, { flops: 15 * size, bytes: 28 * size }, (w) => new Adam(w, { lr: 1e-6 })),
  ]);

/**
 * @param {string} name
 * @param {number} size
 * @param {import("../row.mjs").Cost} cost
 * @param {(w: import("@shadegrad/tensor").Tensor[]) => { step(): void, dispose(): void }} make
 * @returns {import("../row.mjs").Row}
 */
function step(name, size, cost, make) {
  return {
    name,
    ...cost,
    prepare(device) {
      const w = parameter(tensor(randomValues(size, 1), [size], { device }));
      const grads = [2, 3, 4].map((seed) => tensor(randomValues(size, seed), [size], { device }));
      const optimizer = make([w]);
      return {
        run(i) {
          w.grad = grads[i % grads.length];
          optimizer.step();
        },
        dispose() {
          w.grad = undefined;
          optimizer.dispose();
          for (const tensor of [w, ...grads]) tensor.dispose();
        },
      };
    },
  };
}
