import { beforeAll, describe, expect, test } from "vitest";
import {
  all,
  allClose,
  any,
  argmax,
  argmin,
  argsort,
  chunk,
  cumsum,
  diag,
  einsum,
  eye,
  gatherElements,
  init,
  logSumExp,
  isNaN as markNaN,
  maxPool2dWithIndices,
  norm,
  type PadMode,
  pad,
  prod,
  repeat,
  roll,
  sort,
  type Tensor,
  tan,
  tensor,
  topK,
  tril,
  triu,
} from "../../src/index.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];
const matrix = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

describe("order", () => {
  const row = () => tensor([3, Number.NaN, -1, 3, Number.POSITIVE_INFINITY]);

  test("sort is stable, and NaN is the largest", async () => {
    const { values: sorted, indices } = sort(row());
    expect(await values(sorted)).toEqual([-1, 3, 3, Infinity, Number.NaN]);
    expect(await values(indices)).toEqual([2, 0, 3, 4, 1]);
    expect(await values(argsort(row(), { descending: true }))).toEqual([1, 4, 0, 3, 2]);
  });

  test("along another axis, and of whole numbers", async () => {
    const x = tensor(Int32Array.of(5, 1, 16_777_217, 2, 16_777_216, 0), [3, 2]);
    expect(await values(sort(x, { axis: 0 }).values)).toEqual([5, 0, 16_777_216, 1, 16_777_217, 2]);
  });

  test("topK", async () => {
    const found = topK(
      tensor([
        [1, 5, 3, 5],
        [0, -1, -2, 7],
      ]),
      2,
    );
    expect([found.values.shape, await values(found.values)]).toEqual([
      [2, 2],
      [5, 5, 7, 0],
    ]);
    expect(await values(found.indices)).toEqual([1, 3, 3, 0]);
    const least = topK(matrix(), 1, { axis: 0, largest: false });
    expect([least.values.shape, await values(least.values)]).toEqual([
      [1, 3],
      [1, 2, 3],
    ]);
    expect(() => topK(matrix(), 4)).toThrow("topK: k is 4 but axis 1 has 3 elements. x is [2,3].");
    expect(() => topK(matrix(), 1, { larges: true } as never)).toThrow("did you mean largest?");
  });

  test("gradients go where the values came from", () =>
    checkGradient({
      op: (x) => topK(x, 3, { axis: 1 }).values,
      reference: (x) =>
        [0, 1].flatMap((row) => [...x.slice(5 * row, 5 * row + 5)].sort((a, b) => b - a).slice(0, 3)),
      shapes: [[2, 5]],
    }));

  test("argmax over several axes counts through them, row-major", async () => {
    const x = tensor(
      Float32Array.from({ length: 24 }, (_, i) => (i * 7) % 24),
      [2, 3, 4],
    );
    expect(await values(argmax(x, [0, 2]))).toEqual([0, 1, 2].map((j) => bestOf(j, Math.max)));
    const least = argmin(x, [2, 0], { keepdims: true });
    expect(least.shape).toEqual([1, 3, 1]);
    expect(await values(least)).toEqual([0, 1, 2].map((j) => bestOf(j, Math.min)));
  });

  function bestOf(j: number, f: (...numbers: number[]) => number): number {
    const row = [0, 1].flatMap((i) => [0, 1, 2, 3].map((k) => (((i * 3 + j) * 4 + k) * 7) % 24));
    return row.indexOf(f(...row));
  }
});

test("cumsum, with its gradient", async () => {
  expect(await values(cumsum(matrix()))).toEqual([1, 3, 6, 4, 9, 15]);
  expect(await values(cumsum(tensor(Int32Array.of(16_777_217, 1, 1))))).toEqual([
    16_777_217, 16_777_218, 16_777_219,
  ]);
  await checkGradient({
    op: (x) => cumsum(x, 0),
    reference: (x) =>
      x.map((_, i) => [0, 1, 2].slice(0, Math.floor(i / 2) + 1).reduce((s, k) => s + x[2 * k + (i % 2)]!, 0)),
    shapes: [[3, 2]],
  });
});

test("gatherElements, with its gradient", async () => {
  const index = () => tensor(Int32Array.of(2, 2, 0, 1, 9, -1), [2, 3]);
  expect(await values(gatherElements(matrix(), index()))).toEqual([3, 3, 1, 5, Number.NaN, Number.NaN]);
  expect(() => gatherElements(matrix(), tensor(Int32Array.of(1), [1, 1]))).toThrow(
    "gatherElements: axis 0 has 2 elements in x but 1 in indices. x is [2,3]; indices are [1,1].",
  );
  const places = [2, 2, 0, 1, 0, 1];
  await checkGradient({
    op: (x) => gatherElements(x, tensor(Int32Array.from(places), [2, 3])),
    reference: (x) => places.map((k, i) => x[3 * Math.floor(i / 3) + k]!),
    shapes: [[2, 3]],
  });
});

describe("edges", () => {
  const cases: Record<PadMode, number[]> = {
    reflect: [3, 2, 1, 2, 3, 2, 1, 2],
    symmetric: [2, 1, 1, 2, 3, 3, 2, 1],
    edge: [1, 1, 1, 2, 3, 3, 3, 3],
    wrap: [2, 3, 1, 2, 3, 1, 2, 3],
  };
  test.each(Object.entries(cases))("pad by %s, as NumPy", async (mode, wanted) => {
    expect(await values(pad(tensor([1, 2, 3]), [[2, 3]], mode as PadMode))).toEqual(wanted);
  });

  test("their gradients add up", () =>
    checkGradient({
      op: (x) =>
        pad(
          x,
          [
            [1, 0],
            [1, 2],
          ],
          "reflect",
        ),
      reference: (x) => [1, 0, 1].flatMap((i) => [1, 0, 1, 2, 1, 0].map((j) => x[3 * i + j]!)),
      shapes: [[2, 3]],
    }));

  test("a mode that there is not", () => {
    expect(() =>
      pad(
        matrix(),
        [
          [1, 1],
          [0, 0],
        ],
        "mirror" as PadMode,
      ),
    ).toThrow("pad: there is no mode mirror; there are reflect, symmetric, edge, wrap.");
  });
});

test("roll, repeat, chunk", async () => {
  expect(await values(roll(matrix(), 1))).toEqual([6, 1, 2, 3, 4, 5]);
  expect(await values(roll(matrix(), [1, -1], [0, 1]))).toEqual([5, 6, 4, 2, 3, 1]);
  expect(await values(repeat(matrix(), 2, 1))).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
  const pieces = chunk(tensor([1, 2, 3, 4, 5]), 3);
  expect(await Promise.all(pieces.map(values))).toEqual([[1, 2], [3, 4], [5]]);
  await checkGradient({
    op: (x) => roll(repeat(x, 2, 0), 1, 0),
    reference: (x) => [3, 0, 0, 1, 1, 2, 2, 3].map((at) => x[at]!),
    shapes: [[4]],
  });
});

test("eye, diag, tril, triu", async () => {
  expect(await values(eye(2, 3))).toEqual([1, 0, 0, 0, 1, 0]);
  expect(
    await values(
      tril(
        tensor([
          [1, Infinity],
          [Number.NaN, 4],
        ]),
      ),
    ),
  ).toEqual([1, 0, Number.NaN, 4]);
  expect(await values(triu(matrix(), 1))).toEqual([0, 2, 3, 0, 0, 6]);
  expect(await values(diag(matrix(), 1))).toEqual([2, 6]);
  expect(await values(diag(matrix(), -1))).toEqual([4]);
  expect(await values(diag(tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 2, 2, 3]), 1))).toEqual([
    2, 6, 8, 12,
  ]);
  expect(await values(diag(tensor([1, 2]), -1))).toEqual([0, 0, 0, 1, 0, 0, 0, 2, 0]);
  await checkGradient({
    op: (x) => diag(x),
    reference: (x) => [0, 4, 8].map((i) => x[i]!),
    shapes: [[3, 3]],
  });
  await checkGradient({
    op: (x) => tril(x, -1),
    reference: (x) => x.map((value, i) => (i % 3 < Math.floor(i / 3) ? value : 0)),
    shapes: [[3, 3]],
  });
});

test("all, any, isNaN, allClose", async () => {
  const x = tensor([
    [0, 1],
    [Number.NaN, 2],
  ]);
  expect([await values(all(x, 1)), await values(any(x, 0)), await values(markNaN(x))]).toEqual([
    [0, 1],
    [1, 1],
    [0, 0, 1, 0],
  ]);
  expect(await allClose(tensor([1, 1e-9]), tensor([1.000001, 0]))).toBe(true);
  expect(await allClose(tensor([1, 2]), tensor([1, 2.1]))).toBe(false);
  expect(await allClose(x, x)).toBe(false);
  expect(await allClose(x, x, { equalNaN: true })).toBe(true);
  expect(await allClose(tensor([Infinity]), tensor([Infinity]))).toBe(true);
  expect(await allClose(tensor([1]), tensor([Infinity]))).toBe(false);
  expect(await allClose(tensor([-Infinity]), tensor([Infinity]))).toBe(false);
});

describe("einsum", () => {
  const a = () => tensor(randomValues(6, 1), [2, 3]);
  test("reads equations", async () => {
    expect(await values(einsum("ij->ji", matrix()))).toEqual([1, 4, 2, 5, 3, 6]);
    expect(await values(einsum("ij->", matrix()))).toEqual([21]);
    expect(await values(einsum("ij,kj", matrix(), matrix()))).toEqual([14, 32, 32, 77]);
    expect(await values(einsum("i,j->ij", tensor([1, 2]), tensor([3, 4])))).toEqual([3, 4, 6, 8]);
    expect(
      einsum("bij,bjk->bki", tensor(randomValues(30), [5, 2, 3]), tensor(randomValues(60), [5, 3, 4])).shape,
    ).toEqual([5, 4, 2]);
  });

  test("three operands, with gradients", () =>
    checkGradient({
      op: (x, y, z) => einsum("ij,jk,k->i", x, y, z),
      reference: (x, y, z) =>
        [0, 1].map((i) =>
          [0, 1, 2].reduce(
            (s, j) => s + [0, 1].reduce((t, k) => t + x[3 * i + j]! * y[2 * j + k]! * z[k]!, 0),
            0,
          ),
        ),
      shapes: [[2, 3], [3, 2], [2]],
    }));

  test("complaints", () => {
    expect(() => einsum("ii->i", a())).toThrow("einsum: i stands twice for operand 0; take its diag first.");
    expect(() => einsum("ij,jk->ik", a(), a())).toThrow("einsum: j is 3 elements and 2 in operand 1.");
    expect(() => einsum("ijk->i", a())).toThrow("operand 0 has 2 axes but 3 letters, ijk");
  });
});

describe("reductions", () => {
  test("logSumExp of infinities and large numbers", async () => {
    const x = tensor([
      [-Infinity, -Infinity],
      [Infinity, 0],
      [1000, 1000],
      [Number.NaN, 0],
    ]);
    expect(await values(logSumExp(x, 1))).toEqual([
      -Infinity,
      Infinity,
      Math.fround(1000 + Math.LN2),
      Number.NaN,
    ]);
  });

  test("norms", async () => {
    const x = tensor([3, -4, 0]);
    const norms = [2, 1, Infinity, -Infinity, 0].map((p) => norm(x, undefined, { p }));
    expect((await Promise.all(norms.map(values))).flat()).toEqual([5, 7, 4, 0, 2]);
  });

  test("the gradient of the norm of zeros is 0, of a product with zeros that of the others", async () => {
    const reference = (x: Float64Array) => [x[0]! * x[1]! * x[2]!, x[3]! * x[4]! * x[5]!];
    const data = Float32Array.of(2, 0, 3, 0, 0, 5);
    await checkGradient({ op: (x) => prod(x, 1), reference, shapes: [[2, 3]], values: [data] });
    await checkGradient({ op: (x) => norm(x), reference: (x) => [Math.hypot(...x)], shapes: [[4]] });
  });

  // WGSL lets sines and cosines be off by 2⁻¹¹, and SwiftShader's are by 10⁻⁴.
  test("tan", () =>
    checkGradient({ op: tan, reference: (x) => x.map(Math.tan), shapes: [[33]], tolerance: 3e-4 }));
});

test("maxPool2dWithIndices gives the places in the image, with a gradient", async () => {
  const x = tensor(Float32Array.of(1, 9, 3, 4, 5, 6, 7, 8, 2), [1, 3, 3, 1]);
  const { values: most, indices } = maxPool2dWithIndices(x, { kernel: 2, stride: 1 });
  expect([await values(most), await values(indices)]).toEqual([
    [9, 9, 8, 8],
    [1, 1, 7, 7],
  ]);
  await checkGradient({
    op: (x) => maxPool2dWithIndices(x, { kernel: 2 }).values,
    reference: (x) => [Math.max(x[0]!, x[1]!, x[2]!, x[3]!)],
    shapes: [[1, 2, 2, 1]],
  });
});
