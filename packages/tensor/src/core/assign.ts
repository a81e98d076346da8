import { ShapeError } from "../errors.ts";
import { copied } from "./map.ts";
import { encode, type Numbers } from "./numbers.ts";
import { recorder } from "./recorder.ts";
import { isSame } from "./shape.ts";
import { Tensor, upload } from "./tensor.ts";

/**
 * Replace the numbers of a tensor, in place, by those of another of its shape, or by others in row-major order.
 *
 * No gradient flows through it: it is for weights, statistics and inputs. In a compiled function it happens at
 * each call, with the numbers of the host that the first call had.
 *
 * @throws ShapeError if the shapes differ, or there are not as many numbers as elements; RangeError if a number is
 *   beyond a type of whole numbers.
 */
export function assign(x: Tensor, values: Tensor | Numbers): void {
  if (values instanceof Tensor) copy(values, x);
  else write(values, x);
}

function write(values: Numbers, to: Tensor): void {
  if (values.length !== to.size) {
    throw new ShapeError(`assign: ${values.length} numbers for ${to.size} elements. x is [${to.shape}].`);
  }
  const encoded = encode("assign", values, to.dtype);
  if (recorder()) {
    const numbers = upload(encoded, to.shape, to.dtype, to.device);
    copied(numbers, to);
    numbers.dispose();
    return;
  }
  to.storage.touch(true);
  if (to.size > 0) to.device.write(to.storage, encoded);
}

function copy(from: Tensor, to: Tensor): void {
  if (!isSame(from.shape, to.shape)) {
    throw new ShapeError(`assign: x is [${to.shape}] but the tensor to copy is [${from.shape}].`);
  }
  if (from.storage === to.storage) return;
  const { whole } = to.storage;
  if (!whole || whole !== from.storage.whole) {
    copied(from, to);
    return;
  }
  // WebGPU lets no launch read one part of a buffer and write another.
  const between = copied(from);
  copied(between, to);
  between.dispose();
}
