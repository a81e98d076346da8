import { afterEach, expect, it, vi } from "vitest";
import { Launcher } from "../src/launch/launcher.ts";
import type { Prepared, Program } from "../src/launch/program.ts";
import { Stopwatch } from "../src/launch/stopwatch.ts";
import { fma } from "../src/rooflineProbe/index.ts";
import { openDevice } from "./device.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Microseconds that the simulated GPU takes for a launch and for a copy, and that the host takes to encode one. */
const [LAUNCH, COPY, ENCODING] = [100, 40, 7];

/** The part of a GPUDevice that a stopwatch uses: time passes where work is encoded and where it runs, and nowhere else. */
function simulated(timestamps: boolean): GPUDevice {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now / 1000);
  const createCommandEncoder = () => {
    const work: (() => void)[] = [];
    const encode = (run: () => void) => {
      now += ENCODING;
      work.push(run);
    };
    return {
      beginComputePass({ timestampWrites: at }: GPUComputePassDescriptor = {}) {
        const stamp = (index: number | undefined) =>
          index !== undefined && work.push(() => (stamps[index] = BigInt(1000 * now)));
        stamp(at?.beginningOfPassWriteIndex);
        return {
          ...{ setPipeline() {}, setBindGroup() {} },
          dispatchWorkgroups: () => encode(() => (now += LAUNCH)),
          end: () => stamp(at?.endOfPassWriteIndex),
        };
      },
      copyOperand: () => encode(() => (now += COPY)),
      ...{ resolveQuerySet() {}, copyBufferToBuffer() {} },
      finish: () => work,
    };
  };
  const stamps = new BigUint64Array(2);
  const buffer = { async mapAsync() {}, getMappedRange: () => stamps.buffer, unmap() {}, destroy() {} };
  const queue = {
    submitted: [] as (() => void)[],
    submit([work]: (() => void)[][]) {
      this.submitted = work!;
      if (timestamps) for (const run of work!) run();
    },
    async onSubmittedWorkDone() {
      for (const run of this.submitted) run();
    },
  };
  return {
    ...{ createCommandEncoder, queue, features: new Set(timestamps ? ["timestamp-query"] : []) },
    ...{ createBuffer: () => buffer, createQuerySet: () => ({ destroy() {} }) },
  } as unknown as GPUDevice;
}

/** Launches, of which some have an operand copied before. */
function programOf(launches: readonly { copied: boolean }[]): Program {
  const copy = { copy: (encoder: { copyOperand(): void }) => encoder.copyOperand() };
  const prepared = launches.map(
    ({ copied }) => ({ grid: [1, 1, 1], offsets: [0], copies: copied ? [copy] : [] }) as unknown as Prepared,
  );
  return { launches: prepared, write() {} } as unknown as Program;
}

it.each([true, false])(
  "gives the time of each run, copies included, encoding not (timestamps: %s)",
  async (timestamps) => {
    const stopwatch = new Stopwatch(simulated(timestamps));
    const plain = programOf([{ copied: false }, { copied: false }]);
    for (const runs of [1, 4, 32]) expect(await stopwatch.time(plain, runs)).toBeCloseTo(2 * LAUNCH, 6);
    const copying = programOf([{ copied: true }, { copied: false }, { copied: true }]);
    for (const runs of [1, 5])
      expect(await stopwatch.time(copying, runs)).toBeCloseTo(3 * LAUNCH + 2 * COPY, 6);
    stopwatch.destroy();
  },
);

it("times a program on a device", async () => {
  const { device, adapter } = await openDevice();
  const fail = (error: Error) => {
    throw error;
  };
  const launcher = new Launcher(device, adapter, fail);
  const buffer = device.createBuffer({ size: 4 << 12, usage: 0x80 });
  const params = { length: 1 << 12, steps: 2048, scale: 0.75, shift: 0.5 };
  const program = await launcher.prepare([{ kernel: fma as never, params, buffers: [{ buffer }] }]);
  const stopwatch = new Stopwatch(device);
  const microseconds = await stopwatch.time(program, 64);
  expect(microseconds).toBeGreaterThan(0);
  expect(microseconds).toBeLessThan(Infinity);
  stopwatch.destroy();
});
