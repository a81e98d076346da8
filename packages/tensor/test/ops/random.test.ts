import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  type Device,
  dropout,
  Generator,
  init,
  manualSeed,
  normal,
  ones,
  rand,
  randint,
  randn,
  type Tensor,
  tensor,
  uniform,
  zeros,
} from "../../src/index.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

const values = async (x: Tensor): Promise<number[]> => [...(await x.data())];

async function moments(x: Tensor): Promise<{ mean: number; std: number; skew: number; kurtosis: number }> {
  const numbers = Float64Array.from(await x.data());
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const about = (power: number) =>
    numbers.reduce((sum, value) => sum + (value - mean) ** power, 0) / numbers.length;
  const std = Math.sqrt(about(2));
  return { mean, std, skew: about(3) / std ** 3, kurtosis: about(4) / std ** 4 };
}

describe("generators", () => {
  it("repeat after the same seed, and go on otherwise", async () => {
    manualSeed(7);
    const first = await values(rand([5]));
    const second = await values(rand([5]));
    expect(second).not.toEqual(first);
    manualSeed(7);
    expect(await values(rand([5]))).toEqual(first);
    expect(await values(rand([5]))).toEqual(second);
    manualSeed(8);
    expect(await values(rand([5]))).not.toEqual(first);
  });

  it("are apart from each other, and can be put back", async () => {
    const generator = new Generator(3);
    const first = await values(randn([9], { generator }));
    rand([100]);
    const offset = generator.offset;
    const second = await values(randn([9], { generator }));
    generator.offset = offset;
    expect(await values(randn([9], { generator }))).toEqual(second);
    expect(await values(randn([9], { generator: new Generator(3) }))).toEqual(first);
  });

  it("give the first numbers of Philox", async () => {
    const [a, b, c, d] = await values(rand([4], { generator: new Generator(0) }));
    const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
    expect([a, b, c, d]).toEqual(words.map((word) => (word >>> 8) / 2 ** 24));
  });

  it("give a long tensor the numbers of a short one, and more", async () => {
    const short = await values(rand([10], { generator: new Generator(5) }));
    const long = await values(rand([100_003], { generator: new Generator(5) }));
    expect(long.slice(0, 10)).toEqual(short);
  });
});

describe("distributions", () => {
  const generator = new Generator(2015);

  it("uniform", async () => {
    const x = rand([1 << 18], { generator });
    const { mean, std, kurtosis } = await moments(x);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(std).toBeCloseTo(Math.sqrt(1 / 12), 2);
    expect(kurtosis).toBeCloseTo(1.8, 1);
    expect((await x.data()).every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it("uniform between limits, never the upper one", async () => {
    const x = await uniform([1 << 16], 1, 1 + 2 ** -20, { generator }).data();
    expect(x.every((value) => value >= 1 && value < 1 + 2 ** -20)).toBe(true);
    const { mean } = await moments(uniform([1 << 16], -3, 1, { generator }));
    expect(mean).toBeCloseTo(-1, 1);
  });

  it("normal", async () => {
    const { mean, std, skew, kurtosis } = await moments(randn([1 << 18], { generator }));
    expect(mean).toBeCloseTo(0, 1);
    expect(std).toBeCloseTo(1, 1);
    expect(skew).toBeCloseTo(0, 1);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.1);
    const other = await moments(normal([1 << 16], 10, 0.5, { generator }));
    expect(other.mean).toBeCloseTo(10, 1);
    expect(other.std).toBeCloseTo(0.5, 1);
  });

  it("whole numbers", async () => {
    const x = randint(-2, 3, [50_000], { generator });
    expect(x.dtype).toBe("i32");
    const counts = new Map<number, number>();
    for (const value of await x.data()) counts.set(value, (counts.get(value) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    for (const count of counts.values()) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(randint(0, 4_000_000_000, [3], { dtype: "u32", generator }).dtype).toBe("u32");
  });

  it("float16", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
    const x = randn([1000], { dtype: "f16", generator });
    expect(x.dtype).toBe("f16");
    expect((await moments(x)).std).toBeGreaterThan(0.9);
    const uniforms = [
      [0, 1],
      [1, 1.5],
    ] as const;
    for (const [low, high] of uniforms) {
      const numbers = await uniform([1 << 16], low, high, { dtype: "f16", generator }).data();
      expect(numbers.every((value) => value >= low && value < high)).toBe(true);
      expect(numbers).toContain(low);
    }
  });

  it("of nothing", async () => {
    expect(await values(rand([0, 3]))).toEqual([]);
    expect(await values(dropout(zeros([0]), 0.5))).toEqual([]);
  });
});

describe("dropout", () => {
  it("drops by chance, keeps the mean, and drops the same of the gradient", async () => {
    const x = ones([100_003], { requiresGrad: true });
    const y = dropout(x, 0.25, { generator: new Generator(1) });
    backward(y, ones([100_003]));
    const found = await values(y);
    expect(new Set(found).size).toBe(2);
    expect(found.find((value) => value !== 0)).toBeCloseTo(1 / 0.75, 6);
    expect(found.filter((value) => value === 0).length / found.length).toBeCloseTo(0.25, 2);
    expect(await values(x.grad!)).toEqual(found);
  });

  it("drops others each time, all at 1, and nothing at 0 or in use", async () => {
    const x = ones([64]);
    const generator = new Generator(1);
    expect(await values(dropout(x, 0.5, { generator }))).not.toEqual(
      await values(dropout(x, 0.5, { generator })),
    );
    expect(await values(dropout(x, 1))).toEqual(new Array(64).fill(0));
    expect(await values(dropout(x, 0))).toEqual(await values(x));
    expect(await values(dropout(x, 0.5, { training: false }))).toEqual(await values(x));
  });

  it("gives a tensor of its own where it drops nothing, and the gradient passes", async () => {
    const x = ones([3], { requiresGrad: true });
    {
      using y = dropout(x, 0.5, { training: false });
      backward(y, tensor([1, 2, 3]));
    }
    expect(x.isDisposed).toBe(false);
    expect(await values(x.grad!)).toEqual([1, 2, 3]);
  });
});

it("says what is wrong", () => {
  expect(() => dropout(zeros([2, 3]), 1.5)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: dropout: p is 1.5, not in [0, 1].]`,
  );
  expect(() => randint(5, 5, [2])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: randint: 5 up to, not including, 5 is no range of i32. The shape is [2].]`,
  );
  expect(() => rand([2, -1])).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: uniform: a side of -1 is not a whole number ≥ 0. The shape is [2,-1].]`,
  );
  expect(() => rand([2], { dtype: "i32" })).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: uniform: fractions are f32 or f16, not i32; randint gives whole numbers.]`,
  );
  expect(() => manualSeed(-1)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: manualSeed: -1 is not a whole number from 0 to 2⁵³ − 1.]`,
  );
  expect(() => uniform([2], 1, 0)).toThrowErrorMatchingInlineSnapshot(
    `[ShapeError: uniform: low is 1 but high is 0. The shape is [2].]`,
  );
});
