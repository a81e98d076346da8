import { arange } from "../core/create.ts";
import { checkType } from "../core/dtype.ts";
import { type Expression, elementwise } from "../core/map.ts";
import { scope } from "../core/scope.ts";
import { checkTensors, type Tensor, type TensorOptions } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { axesOf } from "./axes.ts";
import { where } from "./comparison.ts";
import { broadcastTo } from "./expand.ts";
import { sum } from "./reduce.ts";
import { unsqueeze } from "./shape.ts";
import { pad, slice } from "./slice.ts";

/** 1 where a condition of row, column and a number holds, else 0: `[rows, columns]`. */
function mask(rows: number, columns: number, f: Expression, k: number, device: Device): Tensor {
  const [down, across] = [rows, columns].map((side) => arange(side, { dtype: "i32", device }));
  const column = down!.view([rows, 1]);
  const y = elementwise((i, j, k) => `select(Vec(0), Vec(1), ${f(i!, j!, k!)})`, [column, across!, k], {
    dtype: "f32",
  });
  for (const tensor of [down!, across!, column]) tensor.dispose();
  return y;
}

/**
 * A matrix with 1 on its diagonal and 0 elsewhere. → `[rows, columns]`
 *
 * @throws ShapeError unless the sides are whole numbers ≥ 0.
 */
export function eye(rows: number, columns = rows, options: TensorOptions = {}): Tensor {
  if (![rows, columns].every((side) => Number.isInteger(side) && side >= 0))
    throw new ShapeError(`eye: sides are ${rows} and ${columns}, not whole numbers ≥ 0.`);
  checkOptions("eye", options, ["device", "dtype", "requiresGrad"]);
  const { device = defaultDevice(), dtype = "f32", requiresGrad = false } = options;
  checkType("eye", dtype, requiresGrad);
  const ones = mask(rows, columns, (i, j) => `${i} == ${j}`, 0, device); // no NaN: integers
  const y = dtype === "f32" ? ones : elementwise((x) => x!, [ones], { dtype });
  if (y !== ones) ones.dispose();
  y.requiresGrad = requiresGrad;
  return y;
}

/**
 * The elements on and below diagonal `k`, 0 elsewhere; diagonal 1 is the one above the main one.
 *
 * x `[…, rows, columns]` → `[…, rows, columns]`
 *
 * @throws ShapeError if x has fewer than 2 axes.
 */
export const tril = (x: Tensor, k = 0): Tensor => triangle("tril", x, k, (i, j, k) => `${j} <= ${i} + ${k}`); // no NaN: integers

/** The elements on and above diagonal `k`: as `tril`. */
export const triu = (x: Tensor, k = 0): Tensor => triangle("triu", x, k, (i, j, k) => `${j} >= ${i} + ${k}`); // no NaN: integers

function triangle(op: string, x: Tensor, k: number, f: Expression): Tensor {
  checkTensors(op, { x });
  const [rows, columns] = sides(op, x, k);
  return scope(() => where(mask(rows, columns, f, k, x.device), x, 0));
}

function sides(op: string, x: Tensor, k: number): [rows: number, columns: number] {
  if (x.shape.length < 2)
    throw new ShapeError(
      `${op}: x has ${x.shape.length} axes, but a matrix has 2 or more. x is [${x.shape}].`,
    );
  if (!Number.isInteger(k)) throw new ShapeError(`${op}: ${k} is no diagonal. x is [${x.shape}].`);
  return [x.shape.at(-2)!, x.shape.at(-1)!];
}

/**
 * Diagonal `k` of matrices, or, of one vector, the matrix with it on that diagonal and 0 elsewhere.
 *
 * x `[…, rows, columns]` → `[…, length]`; x `[length]` → `[length + |k|, length + |k|]`
 *
 * @throws ShapeError if x has no axis, or no such diagonal.
 */
export function diag(x: Tensor, k = 0): Tensor {
  checkTensors("diag", { x });
  return scope(() => diagonal(x, k));
}

function diagonal(x: Tensor, k: number): Tensor {
  const [above, below] = [Math.max(k, 0), Math.max(-k, 0)];
  if (x.shape.length === 1) {
    if (!Number.isInteger(k)) throw new ShapeError(`diag: ${k} is no diagonal. x is [${x.shape}].`);
    const length = x.shape[0]!;
    const ones = mask(length, length, (i, j) => `${i} == ${j}`, 0, x.device); // no NaN: integers
    const square = where(ones, broadcastTo(unsqueeze(x, 0), [length, length]), 0);
    return k === 0
      ? square
      : pad(square, [
          [below, above],
          [above, below],
        ]);
  }
  const [rows, columns] = sides("diag", x, k);
  const length = Math.min(rows - below, columns - above);
  if (length < 0) throw new ShapeError(`diag: x has no diagonal ${k}. x is [${x.shape}].`);
  const leading = axesOf("diag", x.shape, undefined).slice(0, -2);
  const square = slice(
    x,
    [...leading.map(() => 0), below, above],
    [...leading.map((axis) => x.shape[axis]!), below + length, above + length],
  );
  const ones = mask(length, length, (i, j) => `${i} == ${j}`, 0, x.device); // no NaN: integers
  return sum(where(ones, square, 0), -1);
}
