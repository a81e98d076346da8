import { beforeAll, describe, expect, it } from "vitest";
import { flip, init, pad, slice, stridedPad, type Tensor, zeros } from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkMoves, count } from "../moves.ts";

beforeAll(async () => {
  await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

describe("slice", () => {
  it("of the middle", async () => {
    await checkMoves(
      (x) => slice(x, [1, 2], [3, 6]),
      [5, 7, 3],
      [2, 4, 3],
      ([a, b, c]) => [a! + 1, b! + 2, c!],
    );
  });

  it("of four channels", async () => {
    await checkMoves(
      (x) => slice(x, [0, 0, 4], [2, 3, 12]),
      [2, 3, 16],
      [2, 3, 8],
      ([a, b, c]) => [a!, b!, c! + 4],
    );
  });

  it("by steps, from the end, and beyond it", async () => {
    await checkMoves(
      (x) => slice(x, [-5, 0], [Infinity, -1], [2, 3]),
      [7, 8],
      [3, 3],
      ([a, b]) => [2 + 2 * a!, 3 * b!],
    );
  });

  it("forwards from before the start, and to before it", async () => {
    await checkMoves(
      (x) => slice(x, [-9, -99], [2, -1]),
      [3, 4],
      [2, 3],
      ([a, b]) => [a!, b!],
    );
    await checkMoves(
      (x) => slice(x, [0], [-9]),
      [3, 2],
      [0, 2],
      () => undefined,
    );
  });

  it("backwards", async () => {
    await checkMoves(
      (x) => slice(x, [-1, 5], [-Infinity, 1], [-1, -2]),
      [3, 7],
      [3, 2],
      ([a, b]) => [2 - a!, 5 - 2 * b!],
    );
  });

  it("backwards from the end and to the start, which are not named", async () => {
    await checkMoves(
      (x) => slice(x, [], [], [-1, -3]),
      [3, 7],
      [3, 3],
      ([a, b]) => [2 - a!, 6 - 3 * b!],
    );
  });

  it("backwards from beyond the end, to before the start", async () => {
    await checkMoves(
      (x) => slice(x, [99, 9], [-Infinity, -99], [-1, -2]),
      [3, 7],
      [3, 4],
      ([a, b]) => [2 - a!, 6 - 2 * b!],
    );
  });

  it("of nothing", async () => {
    await checkMoves(
      (x) => slice(x, [3], [2]),
      [5, 2],
      [0, 2],
      () => undefined,
    );
    await checkMoves(
      (x) => slice(x, [4], [9]),
      [3, 2],
      [0, 2],
      () => undefined,
    );
    await checkMoves(
      (x) => slice(x, [-1], [-Infinity], [-1]),
      [0, 2],
      [0, 2],
      () => undefined,
    );
  });
});

it("flips", async () => {
  await checkMoves(
    (x) => flip(x, [0, -1]),
    [3, 5, 4],
    [3, 5, 4],
    ([a, b, c]) => [2 - a!, b!, 3 - c!],
  );
  expect(await values(flip(count(2, 2)))).toEqual([3, 2, 1, 0]);
});

describe("pad", () => {
  it("around all axes", async () => {
    await checkMoves(
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
    await checkMoves(
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
    await checkMoves(
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

it("says what is wrong", () => {
  const x = zeros([2, 3, 4]);
  expect(complaint(() => slice(x, [0], [1], [0]))).toMatchInlineSnapshot(
    `"ShapeError: slice: a step of 0 leads nowhere. x is [2,3,4]; starts are [0], ends [1], steps [0]."`,
  );
  expect(complaint(() => slice(x, [0, 0, 0, 0], []))).toMatchInlineSnapshot(
    `"ShapeError: slice: 4 starts for 3 axes. x is [2,3,4]; starts are [0,0,0,0], ends []."`,
  );
  expect(complaint(() => pad(x, [[1, 1]]))).toMatchInlineSnapshot(
    `"ShapeError: pad: each of 3 axes needs [before, after], whole numbers ≥ 0. x is [2,3,4]; padding is [[1,1]]."`,
  );
});
