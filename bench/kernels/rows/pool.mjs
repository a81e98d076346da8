import { maxPool2d } from "@shadegrad/tensor";
import { gradRow, opRow } from "../row.mjs";

/** The one pooling of an ImageNet's ResNet. @returns {import("../row.mjs").Row[]} */
export const pools = () => {
  const shape = [1, 112, 112, 64];
  const [inputs, outputs] = [112 * 112 * 64, 56 * 56 * 64];
  const pool = (x) => maxPool2d(x, { kernel: 3, stride: 2, padding: 1 });
  return [
    opRow("maxPool 3×3 / 2 112² 64 ×1", { flops: 9 * outputs, bytes: 4 * (inputs + outputs) }, [shape], pool),
    gradRow(
      "maxPool dx 3×3 / 2 112² 64 ×1",
      { flops: outputs, bytes: 4 * (inputs + 2 * outputs) },
      [shape],
      pool,
    ),
  ];
};
