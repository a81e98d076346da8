import { dense, map } from "@shadegrad/kernels-wgsl/map";
import { ShapeError } from "../errors.ts";
import { run } from "./run.ts";
import { encode, Tensor } from "./tensor.ts";

/**
 * Replace the numbers of a tensor, in place, by those of another of its shape, or by others in row-major order.
 *
 * No gradient flows through it: it is for weights, statistics and inputs.
 *
 * @throws ShapeError if the shapes differ, or there are not as many numbers as elements.
 */
export function assign(x: Tensor, values: Tensor | ArrayLike<number>): void {
  if (values instanceof Tensor) {
    copy(values, x);
    return;
  }
  if (values.length !== x.size) {
    throw new ShapeError(`assign: ${values.length} numbers for ${x.size} elements. x is [${x.shape}].`);
  }
  x.storage.version++;
  if (x.size > 0) x.device.write(x.storage.buffer, encode(values, x.dtype));
}

function copy(from: Tensor, to: Tensor): void {
  if (String(from.shape) !== String(to.shape)) {
    throw new ShapeError(`assign: x is [${to.shape}] but the tensor to copy is [${from.shape}].`);
  }
  if (from.storage === to.storage) return;
  const type = to.dtype === "i32" || to.dtype === "u32" ? to.dtype : "f32";
  const holes = { A: from.dtype, B: from.dtype, C: from.dtype, Y: to.dtype, S: type, f: "a" };
  run(map, dense(from.size), [from, from, from], { y: to }, { holes });
}
