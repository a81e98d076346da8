import { add, mean, relu } from "@shadegrad/tensor";
import { gradRow, opRow } from "../row.mjs";
import { ACTIVATIONS, named, shapeOf, sizeOf } from "./activations.mjs";

/** Elementwise ops of ResNets. @returns {import("../row.mjs").Row[]} */
export const elementwise = () => [
  ...ACTIVATIONS.flatMap((activations) => {
    const [size, name] = [sizeOf(activations), named(activations)];
    const shape = shapeOf(activations);
    return [
      opRow(`relu ${name}`, { flops: size, bytes: 8 * size }, [shape], relu),
      gradRow(`relu dx ${name}`, { flops: size, bytes: 12 * size }, [shape], relu),
      opRow(`add ${name}`, { flops: size, bytes: 12 * size }, [shape, shape], add),
    ];
  }),
  ...ACTIVATIONS.filter(([, side]) => side < 10).flatMap((activations) => {
    const [size, name] = [sizeOf(activations), named(activations)];
    const overImage = (x) => mean(x, [1, 2]);
    return [
      opRow(`mean ${name}`, { flops: size, bytes: 4 * size }, [shapeOf(activations)], overImage),
      gradRow(`mean dx ${name}`, { flops: size, bytes: 4 * size }, [shapeOf(activations)], overImage),
    ];
  }),
];
