import { matmul as kernel } from "@shadegrad/kernels-wgsl/matmul";
import { differentiable } from "../core/autograd.ts";
import { isInteger } from "../core/dtype.ts";
import { biased, run } from "../core/run.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { lowered } from "./cast.ts";
import { fitted } from "./elementwise.ts";
import { sumTo } from "./reduce.ts";

/** A tensor read as a stack of matrices: its batch axes, and how far apart its elements lie. */
interface Matrices {
  readonly of: Tensor;
  readonly batch: Shape;
  readonly rows: number;
  readonly cols: number;
  readonly row: number;
  readonly col: number;
}

/**
 * Matrix product, with PyTorch's rules: batch axes broadcast, and a vector is a row as `a` and a
 * column as `b`, whose axis the result does not have.
 *
 * a `[…, M, K]` · b `[…, K, N]` → `[…, M, N]`
 *
 * @throws ShapeError if the inner sizes differ or the batch axes do not broadcast.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkTensors("matmul", { a, b });
  const { batch, shape, ...given } = operands(a, b);
  const [left, right] = [inPrecision(given.left), inPrecision(given.right)];
  const y = product(left, right, batch, shape);
  return differentiable(
    "matmul",
    y,
    [a, b],
    (dy) => {
      const out: Matrices = { of: dy, batch, rows: left.rows, cols: right.cols, row: right.cols, col: 1 };
      return [
        // da = dy · bᵀ
        () => fitted(reduced(out, transposed(right), batch, a.shape), a, dy),
        // db = aᵀ · dy
        () => fitted(reduced(transposed(left), out, batch, b.shape), b, dy),
      ];
    },
    copiesOf([left, right], [a, b]),
  );
}

const inPrecision = (x: Matrices): Matrices => ({ ...x, of: lowered(x.of) });

/** Operands that were made for the product, in place of the given ones. */
const copiesOf = (operands: readonly Matrices[], given: readonly Tensor[]): Tensor[] =>
  operands.flatMap(({ of }) => (given.includes(of) ? [] : [of]));

/**
 * An affine map of the last axis.
 *
 * x `[…, in]` · w `[in, out]` (+ b `[out]`) → `[…, out]`
 *
 * @throws ShapeError if the sizes do not fit.
 */
export function linear(x: Tensor, w: Tensor, b?: Tensor): Tensor {
  checkTensors("linear", { x, w, ...(b !== undefined && { b }) });
  const fail = (what: string) =>
    new ShapeError(
      `linear: ${what}. x is [${x.shape}] as [..., in]; w is [${w.shape}] as [in, out]${b ? `; b is [${b.shape}] as [out]` : ""}.`,
    );
  checkFloats({ x, w }, fail);
  const inputs = x.shape.at(-1);
  if (inputs === undefined || w.shape.length !== 2) {
    throw fail(`x needs 1 axis or more and w needs 2, not ${x.shape.length} and ${w.shape.length}`);
  }
  const [wInputs, outputs] = w.shape as [number, number];
  if (inputs !== wInputs) throw fail(`x has ${inputs} features but w expects ${wInputs}`);
  if (b && (b.shape.length !== 1 || b.shape[0] !== outputs)) {
    throw fail(`b has ${b.shape.join("×")} elements but w has ${outputs} outputs`);
  }
  // All leading axes are rows of one matrix.
  const rows = sizeOf(x.shape.slice(0, -1));
  const left = inPrecision({ of: x, batch: [], rows, cols: inputs, row: inputs, col: 1 });
  const right = inPrecision({ of: w, batch: [], rows: inputs, cols: outputs, row: outputs, col: 1 });
  const y = product(left, right, [], [...x.shape.slice(0, -1), outputs], b, "linear");
  return differentiable(
    "linear",
    y,
    b ? [x, w, b] : [x, w],
    (dy) => {
      const out: Matrices = { of: dy, batch: [], rows, cols: outputs, row: outputs, col: 1 };
      return [
        () => fitted(product(out, transposed(right), [], x.shape), x, dy),
        () => fitted(product(transposed(left), out, [], w.shape), w, dy),
        () => sumTo(dy, [outputs], b!.dtype),
      ];
    },
    copiesOf([left, right], [x, w]),
  );
}

function operands(a: Tensor, b: Tensor): { left: Matrices; right: Matrices; batch: Shape; shape: Shape } {
  const axes = (x: Tensor, vector: string, matrix: string) => (x.shape.length === 1 ? vector : matrix);
  const fail = (what: string) =>
    new ShapeError(
      `matmul: ${what}. a is [${a.shape}] as ${axes(a, "[K]", "[..., M, K]")}; b is [${b.shape}] as ${axes(b, "[K]", "[..., K, N]")}.`,
    );
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw fail(`a and b need 1 axis or more, not ${a.shape.length} and ${b.shape.length}`);
  }
  checkFloats({ a, b }, fail);
  const [M, aK] = a.shape.length === 1 ? [1, a.shape[0]!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const [bK, N] = b.shape.length === 1 ? [b.shape[0]!, 1] : [b.shape.at(-2)!, b.shape.at(-1)!];
  if (aK !== bK) throw fail(`a has ${aK} columns but b has ${bK} rows`);
  const left: Matrices = { of: a, batch: a.shape.slice(0, -2), rows: M, cols: aK, row: aK, col: 1 };
  const right: Matrices = { of: b, batch: b.shape.slice(0, -2), rows: bK, cols: N, row: N, col: 1 };
  const axisCount = Math.max(left.batch.length, right.batch.length);
  const batch = Array.from({ length: axisCount }, (_, axis) => {
    const [sizeA, sizeB] = [left, right].map((x) => x.batch[axis - axisCount + x.batch.length] ?? 1) as [
      number,
      number,
    ];
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw fail(`batch axis ${axis} has ${sizeA} in a but ${sizeB} in b`);
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [M]), ...(b.shape.length === 1 ? [] : [N])];
  // Batches of `a` that all meet the same `b` are rows of one matrix, and db is then one product too.
  if (sizeOf(right.batch) === 1 && sizeOf(left.batch) === sizeOf(batch)) {
    return {
      left: { ...left, batch: [], rows: sizeOf(batch) * M },
      right: { ...right, batch: [] },
      batch: [],
      shape,
    };
  }
  return { left, right, batch, shape };
}

function checkFloats(tensors: Readonly<Record<string, Tensor>>, fail: (what: string) => ShapeError): void {
  for (const [name, { dtype }] of Object.entries(tensors)) {
    if (isInteger(dtype)) throw fail(`${name} is ${dtype}; make it floats with cast(${name}, "f32")`);
  }
}

const transposed = ({ rows, cols, row, col, ...x }: Matrices): Matrices => {
  return { ...x, rows: cols, cols: rows, row: col, col: row };
};

/** The product, summed over the batches that an operand of `shape` was repeated for. */
function reduced(a: Matrices, b: Matrices, batch: Shape, shape: Shape): Tensor {
  const size = sizeOf(batch) * a.rows * b.cols;
  if (size === sizeOf(shape)) return product(a, b, batch, shape);
  const repeated = product(a, b, batch, [...batch, a.rows, b.cols]);
  const matrix = [...shape.slice(0, -2), a.rows, b.cols];
  const sum = sumTo(repeated, matrix);
  repeated.dispose();
  if (shape.length > 1) return sum;
  const vector = sum.view(shape);
  sum.dispose();
  return vector;
}

function product(a: Matrices, b: Matrices, batch: Shape, shape: Shape, bias?: Tensor, op = "matmul"): Tensor {
  const axes = batchAxes(batch, a, b);
  if (axes.length > 4) {
    throw new ShapeError(
      `matmul: ${axes.length} batch axes that a and b repeat by turns; at most 4. The batch axes are [${batch}].`,
    );
  }
  const quad = (value: (axis: (typeof axes)[number]) => number, rest: number) =>
    [0, 1, 2, 3].map((i) => (axes[i] ? value(axes[i]) : rest)) as [number, number, number, number];
  const params = {
    batch: quad(({ size }) => size, 1),
    aBatch: quad((axis) => axis.a, 0),
    bBatch: quad((axis) => axis.b, 0),
    ...{ M: a.rows, N: b.cols, K: a.cols, aRow: a.row, aCol: a.col, bRow: b.row, bCol: b.col },
  };
  return run(kernel, params, [a.of, b.of], shape, { epilogue: biased(bias), op });
}

/** Batch axes, last one first, with the strides of both operands; as few as will do. */
function batchAxes(batch: Shape, a: Matrices, b: Matrices): { size: number; a: number; b: number }[] {
  const axes: { size: number; a: number; b: number }[] = [];
  let aStride = a.rows * a.cols;
  let bStride = b.rows * b.cols;
  for (let i = 1; i <= batch.length; i++) {
    const size = batch.at(-i)!;
    const [aSize, bSize] = [a.batch.at(-i) ?? 1, b.batch.at(-i) ?? 1];
    const axis = { size, a: aSize === 1 ? 0 : aStride, b: bSize === 1 ? 0 : bStride };
    aStride *= aSize;
    bStride *= bSize;
    if (size === 1) continue;
    const inner = axes.at(-1);
    if (inner && axis.a === inner.a * inner.size && axis.b === inner.b * inner.size) inner.size *= size;
    else axes.push(axis);
  }
  return axes;
}
