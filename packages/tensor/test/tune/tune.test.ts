import { type Kernel, type Program, Stopwatch } from "@shadegrad/kernels-wgsl";
import { type MatmulParams, matmul as product } from "@shadegrad/kernels-wgsl/matmul";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { run } from "../../src/core/run.ts";
import {
  compile,
  type Device,
  generatorOf,
  init,
  manualSeed,
  matmul,
  mul,
  openDevice,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  tune,
} from "../../src/index.ts";
import {
  BatchNorm2d,
  Dropout,
  dispose,
  GlobalAvgPool2d,
  Linear,
  MaxPool2d,
  ReLU,
  Sequential,
  stateDict,
} from "../../src/nn/index.ts";
import { relativeError } from "../compare.ts";
import { smallNet } from "../smallNet.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
  manualSeed(1);
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Let the clock say that variants take these microseconds, so that no test depends on what a machine is busy with. */
function scriptClock(microseconds: Record<string, number>): void {
  const variants = new WeakMap<Program, string>();
  const prepare = device.launcher.prepare.bind(device.launcher);
  vi.spyOn(device.launcher, "prepare").mockImplementation(async (planned, ...rest) => {
    const program = await prepare(planned, ...rest);
    variants.set(program, planned[0]?.variant ?? plain.name);
    return program;
  });
  vi.spyOn(Stopwatch.prototype, "time").mockImplementation(
    async (program) => microseconds[variants.get(program)!]!,
  );
}

const notKept = { keep: false };
const SIDE = 48;
const wave = (length: number, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const square = (seed: number) => tensor(wave(SIDE * SIDE, seed), [SIDE, SIDE]);

const plain = product.variants.plain;
type Variant = typeof plain;

/** A product of square matrices by a kernel that has these variants before the plain one, and prefers the first. */
function productBy(name: string, first: Variant, ...others: Variant[]) {
  const kernel: Kernel<MatmulParams> = {
    ...product,
    name,
    variants: { plain, gpu: [first, ...others], rasteriser: [first, ...others] },
    prefer: () => first.name,
  };
  const ones = [1, 1, 1, 1] as const;
  const [aBatch, bBatch] = [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ] as const;
  const sides = { M: SIDE, N: SIDE, K: SIDE, aRow: SIDE, aCol: 1, bRow: SIDE, bCol: 1 };
  return (a: Tensor, b: Tensor) =>
    run(kernel, { batch: ones, aBatch, bBatch, ...sides }, [a, b], [SIDE, SIDE]);
}

describe("a variant is compared with the plain one before it is timed", () => {
  const rowFor = async (...variants: [Variant, ...Variant[]]) => {
    const f = productBy("tried", ...variants);
    const { rows } = await tune(f, [square(1), square(2)], notKept);
    expect(rows).toHaveLength(1);
    return rows[0]!;
  };
  const scaled = (name: string, by: string): Variant => ({
    ...plain,
    name,
    holes: { epilogue: `value * Vec(${by})` },
  });

  it("one that leaves half of the result out is named and never taken, though it is the fastest", async () => {
    const hasty: Variant = {
      ...plain,
      name: "hasty",
      workgroups: (p, holes) => {
        const [x, y, z] = plain.workgroups(p, holes);
        return [Math.ceil(x / 2), y, z];
      },
    };
    const row = await rowFor(hasty);
    expect(row).toMatchObject({ preferred: "hasty", variant: plain.name, others: [] });
    expect(row.rejected).toEqual([
      { variant: "hasty", reason: expect.stringMatching(/^y is off by [\d.]+, and 0\.0001 is allowed$/) },
    ]);
  });

  it("one that is off by 5e-4 is rejected, one that is off by 1e-5 is not", async () => {
    const row = await rowFor(scaled("far", "1.0005"), scaled("near", "1.00001"));
    expect(row.rejected.map(({ variant }) => variant)).toEqual(["far"]);
    expect([row.variant, ...row.others.map(({ variant }) => variant)].sort()).toEqual(["direct", "near"]);
  });

  it("one that makes NaN is rejected", async () => {
    const row = await rowFor(scaled("undefined", "bitcast<f32>(0x7fc00000u + at * 0u)"));
    expect(row.rejected).toMatchObject([{ variant: "undefined", reason: expect.stringContaining("NaN") }]);
  });

  it("one that does not compile is rejected, with the compiler's words", async () => {
    const row = await rowFor(scaled("broken", "nothing"));
    expect(row.rejected).toMatchObject([
      { variant: "broken", reason: expect.stringMatching(/^tried broken does not compile\n(.|\n)*nothing/) },
    ]);
  });

  it("with whole numbers and variances it finds values that mean something", async () => {
    const net = smallNet();
    const { rows } = await tune(net, [[2, 12, 12, 3]], { ...notKept, training: true });
    expect(rows.flatMap(({ kernel, rejected }) => rejected.map((one) => ({ kernel, ...one })))).toEqual([]);
    const kernels = new Set(rows.map(({ kernel }) => kernel));
    for (const name of ["conv2d", "conv2dWeightGrad", "normalize", "maxPoolGrad", "momentum"]) {
      expect(kernels).toContain(name);
    }
    dispose(net);
  });
});

describe("what is found", () => {
  it("is launched from then on, eagerly and in what is compiled later", async () => {
    const slow: Variant = { ...plain, name: "slow" };
    scriptClock({ slow: 400, [plain.name]: 100 });
    const f = productBy("slow at first", slow);
    const [a, b] = [square(1), square(2)];
    const launched = async () => {
      const variants: string[] = [];
      const before = device.launcher.onLaunch;
      device.launcher.onLaunch = ({ kernel, variant }) => {
        if (kernel === "slow at first") variants.push(variant);
      };
      const eager = await f(a, b).data();
      using compiled = compile(f);
      expect(relativeError(await (await compiled(a, b)).data(), eager)).toBeLessThan(1e-6);
      device.launcher.onLaunch = before;
      return variants;
    };
    expect(await launched()).toEqual(["slow", "slow"]);
    const { rows, adapter, kept } = await tune(f, [a, b], notKept);
    expect([adapter, kept]).toEqual([device.name, undefined]);
    const [row] = rows as [(typeof rows)[0]];
    expect(row).toMatchObject({ kernel: "slow at first", shape: "48×48 · 48×48", launches: 1 });
    expect(row).toMatchObject({ preferred: "slow", variant: plain.name, microseconds: 100, rejected: [] });
    expect(row.others).toEqual([{ variant: "slow", microseconds: 400 }]);
    expect(await launched()).toEqual([plain.name, plain.name]);

    const other = await openDevice({ quiet: true, tuned: device.tuned });
    expect(other.tuned).toEqual(device.tuned);
    expect(other.adapter.tuned?.size).toBeGreaterThan(0);
    other.destroy();
    const none = await openDevice({ quiet: true, tuned: false });
    expect(none.tuned.size).toBe(0);
    none.destroy();
  });

  it("gives the same results, but for rounding", async () => {
    const [a, b] = [square(3), square(4)];
    const before = await matmul(a, b).data();
    await tune((a: Tensor, b: Tensor) => matmul(a, b), [a, b], notKept);
    expect(relativeError(await matmul(a, b).data(), before)).toBeLessThan(1e-6);
  });

  it("is a row for each shape, however often that is launched", async () => {
    const f = (a: Tensor) => sum(matmul(matmul(a, a), mul(matmul(a, a), 2)));
    const { rows } = await tune(f, [square(1)], notKept);
    expect(rows.filter(({ kernel }) => kernel === "matmul")).toMatchObject([{ launches: 3 }]);
  });

  it("is a table of 80 columns", async () => {
    const net = smallNet();
    const tuning = await tune(net, [[2, 12, 12, 3]], notKept);
    const lines = String(tuning).split("\n");
    expect(lines[0]).toMatch(/^kernel and shape +variant +µs instead of$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    // Three channels are four for kernels that read fours.
    expect(lines.slice(1, 1 + tuning.rows.length).join("\n")).toMatch(/^conv2d 3×3 [34]→8 12×12 ×2 /m);
    expect(lines.at(-2)).toMatch(/^\d+ choices in \d+ s; \d+ of them \(\*\) not the kernel's own\./);
    dispose(net);
  });
});

describe("a model", () => {
  it("is afterwards as it was before, and no memory is held", async () => {
    // On a device of its own, where the collector finds nothing to free.
    device = await init({ quiet: true, tuned: false });
    // Products are left out, as their tiles take a software rasteriser seconds to compile.
    const net = new Sequential(
      new BatchNorm2d(4),
      new ReLU(),
      new MaxPool2d(2),
      new BatchNorm2d(4),
      new GlobalAvgPool2d(),
      new Dropout(0.1),
    );
    const [first] = stateDict(net).values();
    const grad = tensor(wave(first!.size), first!.shape);
    first!.grad = grad;
    const values = async () =>
      Promise.all(Array.from(stateDict(net).values(), async (x) => [...(await x.data())]));
    const layers = Object.values(net) as { training?: boolean }[];
    const flags = () => layers.map(({ training }) => training);
    layers[3]!.training = false;
    const held = () => device.counts.bytes - device.counts.freeBytes;
    const before = [await values(), flags(), generatorOf(device).offset, held()];
    const { rows } = await tune(net, [[2, 12, 12, 4]], { ...notKept, training: true });
    expect(rows.length).toBeGreaterThan(5);
    expect([await values(), flags(), generatorOf(device).offset, held()]).toEqual(before);
    expect(first!.grad).toBe(grad);
    dispose(net);
  });

  it("that is no classifier is tuned too, and for several shapes", async () => {
    const net = new Sequential(new Linear(8, 12));
    const { rows } = await tune(
      net,
      [
        [4, 8],
        [20, 8],
      ],
      notKept,
    );
    expect(rows.map(({ kernel, shape }) => `${kernel} ${shape}`)).toEqual([
      "matmul 4×8 · 8×12",
      "matmul 20×8 · 8×12",
    ]);
    await expect(tune(net, [], notKept)).rejects.toThrow("there is no shape to tune the model for");
    await expect(tune(net, [[4, 9]], notKept)).rejects.toThrow(ShapeError);
    dispose(net);
  });
});

it("a signal ends it with what was found by then", async () => {
  const net = smallNet();
  const stop = new AbortController();
  const seen: string[] = [];
  const tuning = await tune(net, [[2, 12, 12, 3]], {
    ...notKept,
    signal: stop.signal,
    onProgress: ({ kernel }, done, of) => {
      seen.push(`${kernel} ${done}`);
      expect(of).toBeGreaterThan(2);
      if (done === 2) stop.abort();
    },
  });
  expect(tuning.stopped).toBe(true);
  expect(tuning.rows.map(({ kernel }, i) => `${kernel} ${i + 1}`)).toEqual(seen);
  expect(seen).toHaveLength(2);
  expect(String(tuning)).toContain("stopped before everything was tried");
  dispose(net);
});
