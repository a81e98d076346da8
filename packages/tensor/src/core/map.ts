import { bits, type Scalar } from "@shadegrad/kernels-wgsl";
import { broadcast, dense, map } from "@shadegrad/kernels-wgsl/map";
import { type DType, isInteger } from "./dtype.ts";
import { run } from "./run.ts";
import { broadcastShape, isSame, strides } from "./shape.ts";
import { Tensor } from "./tensor.ts";

/** A tensor, or a number that counts as a tensor without axes. */
export type Operand = Tensor | number;

/** A WGSL expression for numbers and for vectors of four alike, given the names of its operands. */
export type Expression = (...names: string[]) => string;

export interface ElementwiseOptions {
  /** The type to compute with, in place of f32 where any operand is fractional and i32 or u32 otherwise. */
  compute?: Scalar | undefined;
  /** The type of y, in place of the one computed with; f16 where all fractional tensors are. */
  dtype?: DType;
  /** A tensor to write in place, of the shape and type of y. */
  into?: Tensor | undefined;
  /** The name of the op, for errors. */
  op?: string | undefined;
}

/**
 * y = f(…) element by element, operands broadcast to one shape; not recorded for gradients.
 *
 * At most three tensors and two numbers. A number's value is no part of the shader.
 */
export function elementwise(
  f: Expression,
  operands: readonly Operand[],
  { compute = computedWith(operands), dtype = heldAs(operands, compute), into, op }: ElementwiseOptions = {},
): Tensor {
  const tensors = operands.filter((operand) => operand instanceof Tensor);
  const numbers = operands.filter((operand): operand is number => !(operand instanceof Tensor));
  const free = { tensor: ["a", "b", "c"], number: ["s", "t"] };
  const names = operands.map((operand) => free[operand instanceof Tensor ? "tensor" : "number"].shift()!);
  const [a, b = a, c = b] = tensors as [Tensor, Tensor?, Tensor?];
  const [s, t] = [0, 1].map((i) => bits(compute, numbers[i] ?? 0));
  const shape = broadcastShape(tensors.map((tensor) => tensor.shape));
  const params = tensors.every((tensor) => isSame(tensor.shape, shape))
    ? dense(a.size, s, t)
    : broadcast(
        shape,
        tensors.map((tensor) => strides(tensor.shape, shape)),
        s,
        t,
      );
  const types = { A: a.dtype, B: b.dtype, C: c.dtype, Y: dtype, S: compute };
  const plain = Object.values(types).every((type) => type === "f32");
  // No integer is NaN.
  const holes = {
    f: f(...names),
    ...(plain ? {} : types),
    ...(compute !== "f32" && { magnitude: "Bits()" }),
  };
  return run(map, params, [a, b, c], { y: into ?? { shape, dtype } }, { holes, op }).y;
}

/** Copy the numbers of `x`, converted to the type of `into`: into it, or into new memory. */
export function copied(x: Tensor, into?: Tensor): Tensor {
  const { dtype } = into ?? x;
  return elementwise((a) => a!, [x], { dtype, compute: isInteger(dtype) ? (dtype as Scalar) : "f32", into });
}

/** Fractional numbers need f32, and so do numbers beyond 32 bits; of whole ones, i32 holds both signs. */
function computedWith(operands: readonly Operand[]): Scalar {
  const fit = (types: readonly DType[], least: number, most: number) =>
    operands.every((x) =>
      x instanceof Tensor ? types.includes(x.dtype) : Number.isInteger(x) && least <= x && x <= most,
    );
  if (fit(["u32"], 0, 2 ** 32 - 1)) return "u32";
  return fit(["i32", "u32"], -(2 ** 31), 2 ** 31 - 1) ? "i32" : "f32";
}

function heldAs(operands: readonly Operand[], compute: Scalar): DType {
  if (compute !== "f32") return compute;
  const floats = operands.filter((x) => x instanceof Tensor && !isInteger(x.dtype)) as Tensor[];
  return floats.length > 0 && floats.every(({ dtype }) => dtype === "f16") ? "f16" : "f32";
}
