import { scan } from "@shadegrad/kernels-wgsl/scan";
import { differentiable } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { run } from "../core/run.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { around, axisOf } from "./axes.ts";

/**
 * Sum of the elements up to each one along an axis, the last unless given; integers stay integers.
 *
 * x `[…]` → `[…]`
 *
 * @throws ShapeError if x lacks the axis.
 */
export function cumsum(x: Tensor, axis = -1): Tensor {
  checkTensors("cumsum", { x });
  const [outer, size, inner] = around(x.shape, axisOf("cumsum", x.shape, axis));
  const along = (of: Tensor, REVERSE: boolean): Tensor => {
    const { shape, dtype } = of;
    const types = { Elem: dtype, ...(isInteger(dtype) && { Sum: dtype }) };
    return run(scan, { outer, size, inner }, [of], { y: { shape, dtype } }, { holes: { ...types, REVERSE } })
      .y;
  };
  return differentiable("cumsum", along(x, false), [x], (dy) => [() => along(dy, true)]);
}
