import { expect, test } from "vitest";
import { groupOf, roofline } from "../index.mjs";
import { typical } from "../kernels/typical.mjs";

const row = { variant: "plain", chosen: true, wall: 1, spread: 0, runs: 7 };
const report = {
  peak: { gflops: 100, gbytes: 20 }, // from 5 operations a byte on, arithmetic is what is waited for
  rows: [
    { ...row, name: "conv2d dw 3×3", microseconds: 1000, flops: 5e7, bytes: 1e6 },
    { ...row, name: "relu 8²", microseconds: 100, flops: 1e5, bytes: 1e6, chosen: false },
    { ...row, name: "add 8²", microseconds: 0, flops: 1e5, bytes: 1e6 },
  ],
};

test("a row lies where its operations a byte meet its GFLOP/s, and says its share of the roof", () => {
  const { points } = roofline(report);
  expect(points).toEqual([
    {
      ...{ group: "conv2d dw", x: 50, y: 50, chosen: true },
      label: "conv2d dw 3×3, plain: 50 GFLOP/s, 50 % of the roof",
    },
    {
      ...{ group: "relu", x: 0.1, y: 1, chosen: false },
      label: "relu 8², plain (not chosen): 1 GFLOP/s, 50 % of the roof",
    },
  ]);
});

test("the roof rises with the bandwidth, and ends at the arithmetic; axes hold all of it", () => {
  for (const rows of [report.rows, []]) {
    const { roof, x, y, points } = roofline({ ...report, rows });
    expect(roof.map(({ x }) => x)).toEqual([x.min, 5, x.max]);
    expect(roof.map(({ y }) => y)).toEqual([20 * x.min, 100, 100]);
    for (const at of [...roof, ...points]) {
      expect(at.x >= x.min && at.x <= x.max && at.y >= y.min && at.y <= y.max).toBe(true);
    }
    expect(x.ticks).toContain(5);
    expect(y.ticks).toEqual([...y.ticks].sort((a, b) => a - b));
    expect(y.ticks.every((tick) => tick >= y.min && tick <= y.max)).toBe(true);
  }
});

test("a group is a kernel in one direction", () => {
  expect(["conv2d 3×3", "conv2d dx 3×3", "SGD momentum 2304", "matmul 512³ aᵀ b"].map(groupOf)).toEqual([
    "conv2d",
    "conv2d dx",
    "SGD",
    "matmul",
  ]);
});

test("a clock that is too coarse for a median gives the mean", () => {
  // 20 µs, by a clock that counts in 65.536 µs.
  const times = Array.from({ length: 4096 }, (_, i) => {
    const ticks = (time: number) => Math.floor(time / 65.536);
    return 65.536 * (ticks(i * 137.1 + 20) - ticks(i * 137.1));
  });
  expect(Math.abs(typical(times).microseconds - 20)).toBeLessThan(1);
  expect(typical([10, 11, 12, 13, 90])).toEqual({ microseconds: 12, spread: 2 / 12 });
  expect(typical([200_000, 200_100, 200_200, 200_300, 900_000]).microseconds).toBe(200_200);
});
