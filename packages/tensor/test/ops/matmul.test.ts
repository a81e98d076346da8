import { beforeAll, describe, expect, it } from "vitest";
import { backward, full, init, linear, matmul, scope, tensor, zeros } from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

const size = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

/** The product of stacks of matrices in float64, batch axes broadcast one index at a time. */
function reference(aShape: number[], bShape: number[]) {
  const a = aShape.length === 1 ? [1, ...aShape] : aShape;
  const b = bShape.length === 1 ? [...bShape, 1] : bShape;
  const [M, K, N] = [a.at(-2)!, a.at(-1)!, b.at(-1)!];
  const axes = Math.max(a.length, b.length) - 2;
  const batch = Array.from({ length: axes }, (_, i) =>
    Math.max(a.at(i - axes - 2) ?? 1, b.at(i - axes - 2) ?? 1),
  );
  const first = (shape: number[], index: number[]) => {
    let at = 0;
    for (const [i, side] of shape.slice(0, -2).entries()) {
      at = at * side + (side === 1 ? 0 : index[axes - shape.length + 2 + i]!);
    }
    return at * shape.at(-2)! * shape.at(-1)!;
  };
  return (x: Float64Array, w: Float64Array) => {
    const y: number[] = [];
    for (let z = 0; z < size(batch); z++) {
      let rest = z;
      const index = batch.map(() => 0);
      for (let i = axes - 1; i >= 0; i--) {
        index[i] = rest % batch[i]!;
        rest = Math.floor(rest / batch[i]!);
      }
      for (let m = 0; m < M; m++)
        for (let n = 0; n < N; n++) {
          let sum = 0;
          for (let k = 0; k < K; k++)
            sum += x[first(a, index) + m * K + k]! * w[first(b, index) + k * N + n]!;
          y.push(sum);
        }
    }
    return y;
  };
}

describe("matmul agrees with its definition and its central differences", () => {
  const cases: [a: number[], b: number[], y: number[]][] = [
    [
      [7, 13],
      [13, 5],
      [7, 5],
    ],
    [
      [36, 8],
      [8, 40],
      [36, 40],
    ],
    [
      [1, 1],
      [1, 1],
      [1, 1],
    ],
    [[13], [13], []],
    [[13], [13, 5], [5]],
    [[7, 13], [13], [7]],
    [[3, 5, 7], [7], [3, 5]],
    [[7], [3, 7, 2], [3, 2]],
    [
      [3, 5, 7],
      [3, 7, 2],
      [3, 5, 2],
    ],
    [
      [3, 5, 7],
      [7, 2],
      [3, 5, 2],
    ],
    [
      [5, 7],
      [3, 7, 2],
      [3, 5, 2],
    ],
    [
      [2, 1, 5, 4],
      [3, 4, 8],
      [2, 3, 5, 8],
    ],
    [
      [2, 1, 3, 5, 4],
      [1, 4, 1, 4, 3],
      [2, 4, 3, 5, 3],
    ],
  ];
  it.each(cases)("[%s] · [%s] → [%s]", async (a, b, shape) => {
    await checkGradient({
      op: (x, w) => {
        const y = matmul(x!, w!);
        expect(y.shape).toEqual(shape);
        return y;
      },
      reference: reference(a, b) as (...inputs: Float64Array[]) => number[],
      shapes: [a, b],
    });
  });
});

describe("linear agrees with its definition and its central differences", () => {
  const cases = [
    [[5, 17], 11],
    [[2, 3, 7], 4],
    [[8], 12],
    [[1, 64], 40],
  ] as [number[], number][];
  it.each(cases)("[%s] → %i", async (x, outputs) => {
    const inputs = x.at(-1)!;
    const product = reference([size(x) / inputs, inputs], [inputs, outputs]);
    await checkGradient({
      op: (x, w, b) => linear(x!, w!, b),
      reference: (x, w, b) => product(x!, w!).map((value, i) => value + b![i % outputs]!),
      shapes: [x, [inputs, outputs], [outputs]],
    });
  });

  it("needs no bias", async () => {
    const y = linear(tensor([[1, 2]]), tensor([[3], [4]]));
    expect([...(await y.data())]).toEqual([11]);
  });
});

describe("matmul", () => {
  it("over nothing is zero, and of nothing is empty", async () => {
    const a = zeros([2, 0], { requiresGrad: true });
    const y = matmul(a, zeros([0, 3]));
    expect([...(await y.data())]).toEqual([0, 0, 0, 0, 0, 0]);
    backward(y, zeros([2, 3]));
    expect(a.grad!.shape).toEqual([2, 0]);
    expect(matmul(zeros([0, 4, 2]), zeros([2, 3])).shape).toEqual([0, 4, 3]);
  });

  it("has more batches than fit into one row of workgroups", async () => {
    const batch = 70_001;
    const y = matmul(tensor(randomValues(batch, 1), [batch, 1, 1]), tensor([3], [1, 1, 1]));
    expect(y.shape).toEqual([batch, 1, 1]);
    expect((await y.data()).at(-1)).toBeCloseTo(3 * randomValues(batch, 1).at(-1)!, 5);
    y.dispose();
  });
});

describe("says what does not fit", () => {
  it("matmul", () => {
    expect(complaint(() => matmul(zeros([2, 3]), zeros([4, 5])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: a has 3 columns but b has 4 rows. a is [2,3] as [..., M, K]; b is [4,5] as [..., K, N]."`,
    );
    expect(complaint(() => matmul(zeros([3]), zeros([4])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: a has 3 columns but b has 4 rows. a is [3] as [K]; b is [4] as [K]."`,
    );
    expect(complaint(() => matmul(zeros([2, 5, 3]), zeros([4, 3, 5])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: batch axis 0 has 2 in a but 4 in b. a is [2,5,3] as [..., M, K]; b is [4,3,5] as [..., K, N]."`,
    );
    expect(complaint(() => matmul(zeros([2, 3]), tensor(Int32Array.of(1, 2, 3))))).toMatchInlineSnapshot(
      `"ShapeError: matmul: b is i32; make it floats with cast(b, "f32"). a is [2,3] as [..., M, K]; b is [3] as [K]."`,
    );
    expect(complaint(() => matmul(zeros([]), zeros([4, 5])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: a and b need 1 axis or more, not 0 and 2. a is [] as [..., M, K]; b is [4,5] as [..., K, N]."`,
    );
  });

  it("linear", () => {
    expect(complaint(() => linear(zeros([8, 512]), zeros([1000, 512])))).toMatchInlineSnapshot(
      `"ShapeError: linear: x has 512 features but w expects 1000. x is [8,512] as [..., in]; w is [1000,512] as [in, out]."`,
    );
    expect(complaint(() => linear(zeros([8, 512]), zeros([512, 10]), zeros([512])))).toMatchInlineSnapshot(
      `"ShapeError: linear: b has 512 elements but w has 10 outputs. x is [8,512] as [..., in]; w is [512,10] as [in, out]; b is [512] as [out]."`,
    );
    expect(complaint(() => linear(zeros([8, 512]), zeros([512])))).toMatchInlineSnapshot(
      `"ShapeError: linear: x needs 1 axis or more and w needs 2, not 2 and 1. x is [8,512] as [..., in]; w is [512] as [in, out]."`,
    );
  });
});

it("a tile of products over 300,000 terms is exact to 3e-6", async () => {
  const [M, K, N] = [4, 300_000, 8];
  const a = Float32Array.from({ length: M * K }, (_, i) => 0.1 + (i % 7) * 1e-3);
  const b = Float32Array.from({ length: K * N }, (_, i) => 0.3 + (i % 11) * 1e-3);
  const exact = new Float64Array(M * N);
  for (let i = 0; i < M * N; i++)
    for (let k = 0; k < K; k++) exact[i]! += a[Math.floor(i / N) * K + k]! * b[k * N + (i % N)]!;
  const found = await scope(() => matmul(tensor(a, [M, K]), tensor(b, [K, N]))).data();
  expect(Math.max(...found.map((value, i) => Math.abs(value / exact[i]! - 1)))).toBeLessThan(3e-6);
});

it("a product over a million terms is exact to 3e-6", async () => {
  const K = 1_000_003;
  const a = Float32Array.from({ length: K }, (_, k) => 0.1 + (k % 7) * 1e-3);
  const exact = a.reduce((sum, value) => sum + value * Math.fround(0.3), 0);
  const found = await scope(() => matmul(tensor(a, [1, K]), full([K, 1], 0.3))).item();
  expect(Math.abs(found / exact - 1)).toBeLessThan(3e-6);
});
