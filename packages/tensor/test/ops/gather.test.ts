import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  gather,
  init,
  oneHot,
  ones,
  randint,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { checkGradient } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

describe("gather", () => {
  it.each([
    [[5, 3], 0],
    [[2, 5, 3], 1],
    [[3, 2, 5], -1],
  ])("of [%s] along axis %s, with its gradient", async (shape, axis) => {
    const indices = [4, 0, 0, 2, 4, 4];
    const at = axis < 0 ? axis + shape.length : axis;
    const inner = shape.slice(at + 1).reduce((a, b) => a * b, 1);
    const outer = shape.slice(0, at).reduce((a, b) => a * b, 1);
    await checkGradient({
      op: (x) => gather(x, tensor(Int32Array.from(indices), [2, 3]), axis),
      reference: (x) =>
        Float64Array.from({ length: outer * 6 * inner }, (_, i) => {
          const row = Math.floor(i / inner);
          return x[(Math.floor(row / 6) * 5 + indices[row % 6]!) * inner + (i % inner)]!;
        }),
      shapes: [shape],
      tolerance: 1e-6,
    });
    const y = gather(zeros(shape), tensor(Uint32Array.from(indices), [2, 3]), axis);
    expect(y.shape).toEqual([...shape.slice(0, at), 2, 3, ...shape.slice(at + 1)]);
  });

  it("gives NaN, or 0, for an index that there is not", async () => {
    const indices = tensor(Int32Array.of(1, -1, 3));
    expect(await values(gather(tensor([5, 6, 7]), indices))).toEqual([6, Number.NaN, Number.NaN]);
    expect(await values(gather(tensor(Int32Array.of(5, 6, 7)), indices))).toEqual([6, 0, 0]);
    const x = tensor([5, 6, 7], [3], { requiresGrad: true });
    backward(gather(x, indices), ones([3]));
    expect(await values(x.grad!)).toEqual([0, 1, 0]);
  });

  it("of nothing", async () => {
    expect(gather(zeros([3, 2]), tensor(new Int32Array(0))).shape).toEqual([0, 2]);
    expect(await values(gather(zeros([0, 2]), tensor(Int32Array.of(0))))).toEqual([Number.NaN, Number.NaN]);
  });

  it("gives the same bits each time", async () => {
    const indices = randint(0, 50, [4001]);
    const dy = randn([4001, 3]);
    const gradients = await Promise.all(
      [0, 1].map(async () => {
        const table = zeros([50, 3], { requiresGrad: true });
        backward(gather(table, indices), dy);
        return values(table.grad!);
      }),
    );
    expect(gradients[0]).toEqual(gradients[1]);
  });
});

it("makes one-hot rows", async () => {
  const y = oneHot(tensor(Int32Array.of(2, 0, 5), [3]), 3);
  expect(y.shape).toEqual([3, 3]);
  expect(await values(y)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0]);
});

it("says that fractions are no indices", () => {
  expect(() => gather(zeros([3, 2]), zeros([4]))).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: gather: indices have to be i32 or u32 but are f32. x is [3,2]; indices are [4].]`,
  );
  expect(() => oneHot(zeros([4]), 3)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: oneHot: labels have to be i32 or u32 but are f32. They are [4].]`,
  );
});
