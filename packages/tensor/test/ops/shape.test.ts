import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  broadcastTo,
  cast,
  concat,
  type Device,
  flatten,
  flip,
  init,
  mul,
  ones,
  pad,
  permute,
  reshape,
  scope,
  slice,
  split,
  squeeze,
  stack,
  stridedPad,
  type Tensor,
  tensor,
  tile,
  transpose,
  unsqueeze,
  zeros,
} from "../../src/index.ts";
import { checkGradient } from "../gradient.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

type Numbers = readonly number[];
const size = (shape: Numbers) => shape.reduce((product, side) => product * side, 1);
const count = (...shape: number[]) =>
  tensor(
    Int32Array.from({ length: size(shape) }, (_, i) => i),
    shape,
  );
const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

/** y[k] = x[from(k)] for all positions k of `shape`; 0 where `from` gives nothing. */
function picked(of: Numbers, shape: Numbers, from: (k: number[]) => Numbers | undefined) {
  return (x: ArrayLike<number>): Float64Array =>
    Float64Array.from({ length: size(shape) }, (_, i) => {
      const k: number[] = [];
      for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
        k.unshift(rest % shape[axis]!);
        rest = Math.floor(rest / shape[axis]!);
      }
      const at = from(k);
      return at ? x[at.reduce((sum, position, axis) => sum * of[axis]! + position, 0)]! : 0;
    });
}

/** Compare an op of one tensor, exactly, on numbers of every type; and its gradient. */
async function check(
  op: (x: Tensor) => Tensor,
  of: Numbers,
  shape: Numbers,
  from: (k: number[]) => Numbers | undefined,
) {
  const reference = picked(of, shape, from);
  const whole = Int32Array.from({ length: size(of) }, (_, i) => 0x7f800001 + i); // NaNs, taken for floats
  const y = scope(() => op(tensor(whole, of)));
  expect(y.shape).toEqual(shape);
  expect([...(await y.data())]).toEqual([...reference(whole)]);
  y.dispose();
  await checkGradient({ op, reference, shapes: [of], tolerance: 1e-7 });
  if (device.adapter.features.has("shader-f16")) {
    const small = Float32Array.from({ length: size(of) }, (_, i) => i % 1024);
    const z = scope(() => op(tensor(small, of, { dtype: "f16" })));
    expect(z.dtype).toBe("f16");
    expect([...(await z.data())]).toEqual([...reference(small)]);
    z.dispose();
  }
}

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
    await check(
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
    await check(
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

describe("slice", () => {
  it("of the middle", async () => {
    await check(
      (x) => slice(x, [1, 2], [3, 6]),
      [5, 7, 3],
      [2, 4, 3],
      ([a, b, c]) => [a! + 1, b! + 2, c!],
    );
  });

  it("of four channels", async () => {
    await check(
      (x) => slice(x, [0, 0, 4], [2, 3, 12]),
      [2, 3, 16],
      [2, 3, 8],
      ([a, b, c]) => [a!, b!, c! + 4],
    );
  });

  it("by steps, from the end, and beyond it", async () => {
    await check(
      (x) => slice(x, [-5, 0], [Infinity, -1], [2, 3]),
      [7, 8],
      [3, 3],
      ([a, b]) => [2 + 2 * a!, 3 * b!],
    );
  });

  it("forwards from before the start, and to before it", async () => {
    await check(
      (x) => slice(x, [-9, -99], [2, -1]),
      [3, 4],
      [2, 3],
      ([a, b]) => [a!, b!],
    );
    await check(
      (x) => slice(x, [0], [-9]),
      [3, 2],
      [0, 2],
      () => undefined,
    );
  });

  it("backwards", async () => {
    await check(
      (x) => slice(x, [-1, 5], [-Infinity, 1], [-1, -2]),
      [3, 7],
      [3, 2],
      ([a, b]) => [2 - a!, 5 - 2 * b!],
    );
  });

  it("backwards from the end and to the start, which are not named", async () => {
    await check(
      (x) => slice(x, [], [], [-1, -3]),
      [3, 7],
      [3, 3],
      ([a, b]) => [2 - a!, 6 - 3 * b!],
    );
  });

  it("backwards from beyond the end, to before the start", async () => {
    await check(
      (x) => slice(x, [99, 9], [-Infinity, -99], [-1, -2]),
      [3, 7],
      [3, 4],
      ([a, b]) => [2 - a!, 6 - 2 * b!],
    );
  });

  it("of nothing", async () => {
    await check(
      (x) => slice(x, [3], [2]),
      [5, 2],
      [0, 2],
      () => undefined,
    );
    await check(
      (x) => slice(x, [4], [9]),
      [3, 2],
      [0, 2],
      () => undefined,
    );
    await check(
      (x) => slice(x, [-1], [-Infinity], [-1]),
      [0, 2],
      [0, 2],
      () => undefined,
    );
  });
});

it("flips", async () => {
  await check(
    (x) => flip(x, [0, -1]),
    [3, 5, 4],
    [3, 5, 4],
    ([a, b, c]) => [2 - a!, b!, 3 - c!],
  );
  expect(await values(flip(count(2, 2)))).toEqual([3, 2, 1, 0]);
});

describe("pad", () => {
  it("around all axes", async () => {
    await check(
      (x) =>
        pad(x, [
          [0, 1],
          [2, 0],
          [1, 3],
        ]),
      [2, 3, 5],
      [3, 5, 9],
      ([a, b, c]) => (a! < 2 && b! >= 2 && c! >= 1 && c! < 6 ? [a!, b! - 2, c! - 1] : undefined),
    );
  });

  it("with a value, around nothing too", async () => {
    expect(await values(pad(count(2), [[1, 2]], 7))).toEqual([7, 0, 1, 7, 7]);
    expect(
      await values(
        pad(
          zeros([0, 2]),
          [
            [1, 0],
            [0, 0],
          ],
          7,
        ),
      ),
    ).toEqual([7, 7]);
  });
});

describe("stridedPad", () => {
  it("takes every so-many-th element and pads", async () => {
    await check(
      (x) =>
        stridedPad(
          x,
          [1, 2, 3],
          [
            [0, 0],
            [0, 1],
            [4, 4],
          ],
        ),
      [2, 5, 12],
      [2, 4, 12],
      ([a, b, c]) => (b! < 3 && c! >= 4 && c! < 8 ? [a!, 2 * b!, 3 * (c! - 4)] : undefined),
    );
  });

  it("is the pad of a slice, by fours and with more than four axes too", async () => {
    const ends: [number, number][] = [
      [1, 0],
      [0, 2],
      [0, 0],
      [1, 1],
      [0, 1],
      [4, 8],
    ];
    await check(
      (x) => stridedPad(x, [1, 2, 1, 1, 3, 1], ends),
      [2, 3, 2, 2, 4, 4],
      [3, 4, 2, 4, 3, 16],
      ([a, b, c, d, e, f]) =>
        a! >= 1 && b! < 2 && d! >= 1 && d! < 3 && e! < 2 && f! >= 4 && f! < 8
          ? [a! - 1, 2 * b!, c!, d! - 1, 3 * e!, f! - 4]
          : undefined,
    );
  });

  it("of nothing", async () => {
    expect(await values(stridedPad(zeros([0]), [2], [[1, 2]]))).toEqual([0, 0, 0]);
  });

  it("says what is wrong", () => {
    const x = zeros([2, 3]);
    const pads = [
      [0, 0],
      [1, 1],
    ] as const;
    for (const steps of [[1], [1, 0], [1, 1.5]])
      expect(() => stridedPad(x, steps, pads)).toThrow(`steps are [${steps}]`);
    for (const padding of [
      [[0, 0]],
      [
        [0, 0],
        [-1, 0],
      ],
    ] as [number, number][][])
      expect(() => stridedPad(x, [1, 1], padding)).toThrow(`padding is ${JSON.stringify(padding)}`);
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
    await check(
      (x) => broadcastTo(x, [4, 2, 3, 5]),
      [2, 1, 5],
      [4, 2, 3, 5],
      ([, a, , c]) => [a!, 0, c!],
    );
  });

  it("repeat the whole", async () => {
    await check(
      (x) => tile(x, [2, 3]),
      [3, 5],
      [6, 15],
      ([a, b]) => [a! % 3, b! % 5],
    );
    await check(
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
  const message = (f: () => unknown): string => {
    try {
      f();
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    }
    return "nothing";
  };

  it("about shapes and axes", () => {
    const x = zeros([2, 3, 4]);
    expect(message(() => reshape(x, [5, 5]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: x has 24 elements but the shape holds 25. x is [2,3,4]; shape is [5,5]."`,
    );
    expect(message(() => reshape(x, [5, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: 24 elements do not divide into groups of 5, to find the side of -1. x is [2,3,4]; shape is [5,-1]."`,
    );
    expect(message(() => reshape(x, [-1, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: only one side may be -1. x is [2,3,4]; shape is [-1,-1]."`,
    );
    expect(message(() => permute(x, [0, 1]))).toMatchInlineSnapshot(
      `"ShapeError: permute: 2 axes are given but x has 3. x is [2,3,4]; axes are [0,1]."`,
    );
    expect(message(() => permute(x, [0, 1, 1]))).toMatchInlineSnapshot(
      `"ShapeError: permute: axis 1 is given twice, in [0,1,1]. x is [2,3,4]."`,
    );
    expect(message(() => transpose(x))).toMatchInlineSnapshot(
      `"ShapeError: transpose: x has 3 axes: say which two to swap, or use permute. x is [2,3,4]."`,
    );
    expect(message(() => squeeze(x, 1))).toMatchInlineSnapshot(
      `"ShapeError: squeeze: axis 1 has 3 elements, not 1. x is [2,3,4]."`,
    );
    expect(message(() => broadcastTo(x, [2, 5, 4]))).toMatchInlineSnapshot(
      `"ShapeError: broadcastTo: axis 1 of x has 3 elements but the shape wants 5. x is [2,3,4]; shape is [2,5,4]."`,
    );
  });

  it("about pieces", () => {
    const x = zeros([2, 3, 4]);
    expect(message(() => concat([x, zeros([2, 5, 5])], 1))).toMatchInlineSnapshot(
      `"ShapeError: concat: xs[0] and xs[1] have to agree in all axes but 1. xs[0] is [2,3,4]; xs[1] is [2,5,5]."`,
    );
    expect(message(() => stack([x, zeros([2, 3])]))).toMatchInlineSnapshot(
      `"ShapeError: stack: xs[0] and xs[1] have to agree in their shapes. xs[0] is [2,3,4]; xs[1] is [2,3]."`,
    );
    expect(message(() => concat([]))).toMatchInlineSnapshot(
      `"ShapeError: concat: there are no tensors to join."`,
    );
    expect(message(() => concat([count(2), zeros([2])]))).toMatchInlineSnapshot(
      `"ShapeError: concat: xs[0] is i32 but xs[1] is f32; cast one of them. xs[0] is [2]; xs[1] is [2]."`,
    );
    expect(message(() => split(x, [1, 1], 1))).toMatchInlineSnapshot(
      `"ShapeError: split: sizes [1,1] do not make up the 3 elements of axis 1. x is [2,3,4]."`,
    );
    expect(message(() => split(x, 0))).toMatchInlineSnapshot(
      `"ShapeError: split: pieces of 0 elements do not make up axis 0. x is [2,3,4]."`,
    );
    expect(message(() => slice(x, [0], [1], [0]))).toMatchInlineSnapshot(
      `"ShapeError: slice: a step of 0 leads nowhere. x is [2,3,4]; starts are [0], ends [1], steps [0]."`,
    );
    expect(message(() => slice(x, [0, 0, 0, 0], []))).toMatchInlineSnapshot(
      `"ShapeError: slice: 4 starts for 3 axes. x is [2,3,4]; starts are [0,0,0,0], ends []."`,
    );
    expect(message(() => pad(x, [[1, 1]]))).toMatchInlineSnapshot(
      `"ShapeError: pad: each of 3 axes needs [before, after], whole numbers ≥ 0. x is [2,3,4]; padding is [[1,1]]."`,
    );
    expect(message(() => tile(x, [2]))).toMatchInlineSnapshot(
      `"ShapeError: tile: each of 3 axes needs a whole number ≥ 0 of repeats. x is [2,3,4]; repeats are [2]."`,
    );
  });
});
