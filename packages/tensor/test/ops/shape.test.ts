import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  broadcastTo,
  cast,
  concat,
  type Device,
  flatten,
  init,
  mul,
  ones,
  pad,
  permute,
  reshape,
  scope,
  split,
  squeeze,
  stack,
  type Tensor,
  tensor,
  tile,
  transpose,
  unsqueeze,
  zeros,
} from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkGradient } from "../gradient.ts";
import { checkMoves, count, picked } from "../moves.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

describe("permute", () => {
  it.each([
    [
      [5, 7],
      [1, 0],
    ],
    [
      [8, 12],
      [1, 0],
    ],
    [
      [2, 3, 5, 7],
      [0, 3, 1, 2],
    ],
    [
      [2, 4, 6, 8],
      [0, 3, 1, 2],
    ],
    [
      [1, 36, 36, 4],
      [0, 3, 1, 2],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [2, 3, 2, 3, 2],
      [4, 0, 3, 1, 2],
    ],
    [
      [3, 0, 2],
      [2, 1, 0],
    ],
    [[], []],
  ])("of [%s] by [%s]", async (shape, axes) => {
    await checkMoves(
      (x) => permute(x, axes),
      shape,
      axes.map((axis) => shape[axis]!),
      (k) => shape.map((_, axis) => k[axes.indexOf(axis)]!),
    );
  });

  it("counts axes from the end", async () => {
    expect(permute(count(2, 3, 4), [-1, 0, 1]).shape).toEqual([4, 2, 3]);
  });

  it("swaps two axes", async () => {
    expect(await values(transpose(count(2, 3)))).toEqual([0, 3, 1, 4, 2, 5]);
    // With one axis, the other is the first or the second.
    expect(transpose(count(2, 3, 4), 2).shape).toEqual([2, 4, 3]);
    expect(transpose(count(2, 3, 4), undefined, 2).shape).toEqual([4, 3, 2]);
    await checkMoves(
      (x) => transpose(x, -1, -3),
      [2, 3, 5],
      [5, 3, 2],
      ([a, b, c]) => [c!, b!, a!],
    );
  });
});

describe("views", () => {
  it.each([
    ["reshape", (x: Tensor) => reshape(x, [6, -1]), [6, 4]],
    ["flatten", flatten, [2, 12]],
    ["flatten of two axes", (x: Tensor) => flatten(x, 1, 2), [2, 3, 4]],
    ["unsqueeze", (x: Tensor) => unsqueeze(x, -1), [2, 3, 1, 4, 1]],
    ["squeeze", (x: Tensor) => squeeze(x), [2, 3, 4]],
    ["squeeze of an axis", (x: Tensor) => squeeze(x, 2), [2, 3, 4]],
  ] as const)("%s", async (_, op, shape) => {
    const x = count(2, 3, 1, 4);
    const { launches } = device.counts;
    const y = op(x);
    expect(device.counts.launches).toBe(launches);
    expect(y.shape).toEqual(shape);
    expect(await values(y)).toEqual(await values(x));
    await checkGradient({ op: (x) => op(x!), reference: (x) => x!, shapes: [[2, 3, 1, 4]], tolerance: 0 });
  });

  it("leave the memory to those that remain", async () => {
    const y = scope(() => reshape(mul(ones([2, 3]), 5), [6]));
    expect(await values(y)).toEqual([5, 5, 5, 5, 5, 5]);
  });

  it("of nothing", () => {
    expect(reshape(zeros([0, 3]), [3, 0]).shape).toEqual([3, 0]);
    expect(reshape(zeros([0, 3]), [-1, 3]).shape).toEqual([0, 3]);
    expect(flatten(zeros([])).shape).toEqual([1]);
  });
});

describe("concat, stack and split", () => {
  it("join along an axis, with gradients for all", async () => {
    await checkGradient({
      op: (a, b, c) => concat([a, b, c], -2),
      reference: (a, b, c) =>
        [0, 1].flatMap((n) => [...a.slice(6 * n, 6 * n + 6), ...b.slice(3 * n, 3 * n + 3), ...c.slice(0, 0)]),
      shapes: [
        [2, 2, 3],
        [2, 1, 3],
        [2, 0, 3],
      ],
      tolerance: 0,
    });
  });

  it("join along a new axis", async () => {
    await checkGradient({
      op: (a, b) => stack([a, b], -1),
      reference: (a, b) => [...a].flatMap((value, i) => [value, b[i]!]),
      shapes: [
        [3, 5],
        [3, 5],
      ],
      tolerance: 0,
    });
    expect(stack([zeros([2, 3]), zeros([2, 3])]).shape).toEqual([2, 2, 3]);
  });

  it("take the same tensor twice", async () => {
    const x = tensor([1, 2], [2], { requiresGrad: true });
    backward(concat([x, x]), tensor([1, 2, 3, 4]));
    expect(await values(x.grad!)).toEqual([4, 6]);
  });

  it("take apart", async () => {
    expect(await Promise.all(split(count(5, 2), 2).map(values))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(await Promise.all(split(count(2, 3), [1, 0, 2], 1).map(values))).toEqual([
      [0, 3],
      [],
      [1, 2, 4, 5],
    ]);
    await checkGradient({
      op: (x) => concat(split(x, [2, 5], 1).reverse(), 1),
      reference: picked([3, 7], [3, 7], ([a, b]) => [a!, (b! + 2) % 7]),
      shapes: [[3, 7]],
      tolerance: 0,
    });
  });
});

describe("broadcastTo and tile", () => {
  it("repeat along axes of 1", async () => {
    await checkMoves(
      (x) => broadcastTo(x, [4, 2, 3, 5]),
      [2, 1, 5],
      [4, 2, 3, 5],
      ([, a, , c]) => [a!, 0, c!],
    );
  });

  it("repeat the whole", async () => {
    await checkMoves(
      (x) => tile(x, [2, 3]),
      [3, 5],
      [6, 15],
      ([a, b]) => [a! % 3, b! % 5],
    );
    await checkMoves(
      (x) => tile(x, [1, 0]),
      [3, 5],
      [3, 0],
      () => undefined,
    );
  });
});

it("moves twenty million", { timeout: 120_000 }, async () => {
  const [rows, columns] = [4999, 4001];
  const y = scope(() => transpose(count(rows, columns)));
  const found = await y.data();
  y.dispose();
  expect(found.every((value, i) => value === (i % rows) * columns + Math.floor(i / rows))).toBe(true);
});

it("keeps float16", ({ skip }) => {
  skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
  const x = cast(ones([2, 3]), "f16");
  expect(
    [
      pad(x, [
        [1, 1],
        [0, 0],
      ]),
      concat([x, x]),
      broadcastTo(x, [4, 2, 3]),
    ].map(({ dtype }) => dtype),
  ).toEqual(["f16", "f16", "f16"]);
});

describe("says what is wrong", () => {
  it("about shapes and axes", () => {
    const x = zeros([2, 3, 4]);
    expect(complaint(() => reshape(x, [5, 5]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: x has 24 elements but the shape holds 25. x is [2,3,4]; shape is [5,5]."`,
    );
    expect(complaint(() => reshape(x, [5, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: 24 elements do not divide into groups of 5, to find the side of -1. x is [2,3,4]; shape is [5,-1]."`,
    );
    expect(complaint(() => reshape(x, [-1, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: only one side may be -1. x is [2,3,4]; shape is [-1,-1]."`,
    );
    expect(complaint(() => permute(x, [0, 1]))).toMatchInlineSnapshot(
      `"ShapeError: permute: 2 axes are given but x has 3. x is [2,3,4]; axes are [0,1]."`,
    );
    expect(complaint(() => permute(x, [0, 1, 1]))).toMatchInlineSnapshot(
      `"ShapeError: permute: axis 1 is given twice, in [0,1,1]. x is [2,3,4]."`,
    );
    expect(complaint(() => transpose(x))).toMatchInlineSnapshot(
      `"ShapeError: transpose: x has 3 axes: say which two to swap, or use permute. x is [2,3,4]."`,
    );
    expect(complaint(() => squeeze(x, 1))).toMatchInlineSnapshot(
      `"ShapeError: squeeze: axis 1 has 3 elements, not 1. x is [2,3,4]."`,
    );
    expect(complaint(() => broadcastTo(x, [2, 5, 4]))).toMatchInlineSnapshot(
      `"ShapeError: broadcastTo: axis 1 of x has 3 elements but the shape wants 5. x is [2,3,4]; shape is [2,5,4]."`,
    );
  });

  it("about pieces", () => {
    const x = zeros([2, 3, 4]);
    expect(complaint(() => concat([x, zeros([2, 5, 5])], 1))).toMatchInlineSnapshot(
      `"ShapeError: concat: xs[0] and xs[1] have to agree in all axes but 1. xs[0] is [2,3,4]; xs[1] is [2,5,5]."`,
    );
    expect(complaint(() => stack([x, zeros([2, 3])]))).toMatchInlineSnapshot(
      `"ShapeError: stack: xs[0] and xs[1] have to agree in their shapes. xs[0] is [2,3,4]; xs[1] is [2,3]."`,
    );
    expect(complaint(() => concat([]))).toMatchInlineSnapshot(
      `"ShapeError: concat: there are no tensors to join."`,
    );
    expect(complaint(() => concat([count(2), zeros([2])]))).toMatchInlineSnapshot(
      `"ShapeError: concat: xs[0] is i32 but xs[1] is f32; cast one of them. xs[0] is [2]; xs[1] is [2]."`,
    );
    expect(complaint(() => split(x, [1, 1], 1))).toMatchInlineSnapshot(
      `"ShapeError: split: sizes [1,1] do not make up the 3 elements of axis 1. x is [2,3,4]."`,
    );
    expect(complaint(() => split(x, 0))).toMatchInlineSnapshot(
      `"ShapeError: split: pieces of 0 elements do not make up axis 0. x is [2,3,4]."`,
    );
    expect(complaint(() => tile(x, [2]))).toMatchInlineSnapshot(
      `"ShapeError: tile: each of 3 axes needs a whole number ≥ 0 of repeats. x is [2,3,4]; repeats are [2]."`,
    );
  });
});
