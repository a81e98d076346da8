import { dense, map } from "@shadegrad/kernels-wgsl/map";
import { init, matmul } from "@shadegrad/tensor";
import { beforeAll, expect, test } from "vitest";
import { benchmark, compared, heading, line, reportPage, rows, summary } from "../index.mjs";
import { gradRow, kernelRow, opRow } from "../kernels/row.mjs";

type Report = Awaited<ReturnType<typeof benchmark>>;

const SIDE = 32;
const small = [
  kernelRow("relu 32²", [{ kernel: map, params: dense(SIDE ** 2), buffers: ["x", "x", "x", "y"] }], {
    x: SIDE ** 2,
    y: SIDE ** 2,
  }),
  opRow(
    "matmul 32³",
    { flops: 2 * SIDE ** 3, bytes: 12 * SIDE ** 2 },
    [
      [SIDE, SIDE],
      [SIDE, SIDE],
    ],
    matmul,
  ),
  gradRow(
    "matmul dx 32³",
    { flops: 4 * SIDE ** 3, bytes: 20 * SIDE ** 2 },
    [
      [SIDE, SIDE],
      [SIDE, SIDE],
    ],
    matmul,
  ),
];

let report: Report;

beforeAll(async () => {
  await init({ quiet: true });
});

test("rows are measured here, in Node or in a page, each variant that fits once", async () => {
  const device = await init();
  const seen: string[] = [];
  report = await benchmark(device, {
    rows: small,
    variants: true,
    onResult: ({ name, variant }) => seen.push(`${name}: ${variant}`),
  });
  expect(report.adapter).toBe(device.name);
  expect(report.peak.gflops).toBeGreaterThan(0);
  expect(report.peak.gbytes).toBeGreaterThan(0);
  expect(new Set(seen).size).toBe(seen.length);
  for (const { name } of small) {
    const own = report.rows.filter((row) => row.name === name);
    expect(own.filter(({ chosen }) => chosen)).toHaveLength(1);
    expect(own.length, name).toBeGreaterThan(1);
    for (const { microseconds, wall, runs } of own) {
      expect(microseconds).toBeGreaterThan(0);
      expect(microseconds).toBeLessThan(1e6);
      expect(wall).toBeGreaterThan(0);
      expect(runs).toBeGreaterThanOrEqual(7);
    }
  }
  // The next launches on the device are not timed, and choose their variants themselves.
  const listeners = { timings: device.launcher.onTimings, own: Object.hasOwn(device.launcher, "launch") };
  expect(listeners).toEqual({ timings: undefined, own: false });
});

test("each result is a line under the heading, with its rates", () => {
  const [first] = report.rows;
  const result = { ...first!, microseconds: 2000, flops: 4e6, bytes: 8e6, spread: 0.1 };
  const known = { ...report, peak: { gflops: 8, gbytes: 16 } };
  expect(line(result, known).split(/ {2,}/).slice(2)).toEqual(
    ["2000", "5 %", `${result.wall.toFixed(0)}`, "2.0", "25 %", "4.0", "25 %"].filter(Boolean),
  );
  expect(heading(report)).toContain("µs before");
  expect(summary(known)).toContain("8.0 GFLOP/s");
});

test("a report is compared with an earlier one, row by row", () => {
  const slower = {
    ...report,
    rows: report.rows.map((row) => ({ ...row, microseconds: row.microseconds * 2 })),
  };
  expect(compared(report, slower)).toContain(
    `${small.length} rows in both: 2.00× as fast in the geometric mean, ${small.length} faster and 0 slower`,
  );
  expect(compared(slower, report)).toContain("slower: matmul 32³, 0.50×");
  expect(compared(report, { ...slower, rows: [] })).toBe("compare: no row is in both.");
  expect(line(report.rows[0]!, report, slower)).toContain("2.00×");
});

test("the page holds every row and the chart, and no name ends its script", () => {
  const named = { ...report, rows: report.rows.map((row) => ({ ...row, name: "</script><b>" })) };
  const html = reportPage(named, "/* chart */");
  expect(html).toContain("/* chart */");
  expect(html.match(/<\/script>/g)).toHaveLength(2);
  expect(html.match(/<tr/g)).toHaveLength(report.rows.length + 1);
});

test("rows have names of their own, and costs", () => {
  const all = rows();
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { name, flops, bytes } of all) {
    expect(flops, name).toBeGreaterThan(0);
    expect(bytes, name).toBeGreaterThan(0);
  }
  // In three directions: 26 shapes of a ResNet-50 and a ResNet-18, 6 of a ResNet-20.
  expect(all.filter(({ name }) => name.startsWith("conv2d "))).toHaveLength(3 * CONVOLUTIONS);
});

const CONVOLUTIONS = 32;
