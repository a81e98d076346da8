import { Stopwatch } from "@shadegrad/kernels-wgsl";
import { copy, fma } from "@shadegrad/kernels-wgsl/rooflineProbe";

/** @typedef {import("@shadegrad/tensor").Device} Device @typedef {import("@shadegrad/kernels-wgsl").Program} Program */

/** Multiply-adds that take some 8 ms at 50 TFLOP/s; at a fifth of the clock, 40 ms. */
const HEAT = { length: 1 << 21, steps: 8192, scale: 0.75, shift: 0.5 };

/** Share of the initial peak below which the clock has moved. */
const STEADY = 0.93;

/**
 * Times programs with the adapter's clock up: a GPU at low duty falls to a fifth of it within two seconds, so that a
 * bounded load of multiply-adds goes before each batch, on the same queue.
 */
export class WarmClock {
  #device;
  #stopwatch;
  /** @type {Program | undefined} */ #heat;
  #first = 0;

  /** @param {Device} device */
  constructor(device) {
    this.#device = device;
    this.#stopwatch = new Stopwatch(device.gpu, (work) => device.rest(work));
  }

  /** Measures the peak of multiply-adds, in GFLOP/s. */
  async peak() {
    if (!this.#heat) {
      const steps = this.#device.adapter.software ? 64 : HEAT.steps;
      const params = { ...HEAT, length: this.#device.adapter.software ? 1 << 12 : HEAT.length, steps };
      const buffer = this.#device.gpu.createBuffer({ size: 4 * params.length, usage: 0x80 });
      this.#heat = await this.#device.launcher.prepare([
        { kernel: /** @type {any} */ (fma), params, buffers: [{ buffer }] },
      ]);
      this.flops = fma.cost?.(params).flops ?? 0;
    }
    const heat = this.#heat;
    for (let i = 0; i < 3; i++) this.#device.launcher.replay(heat);
    const times = [];
    for (let i = 0; i < 3; i++) times.push(await this.#stopwatch.time(heat, 1));
    const gflops = (this.flops ?? 0) / Math.min(...times) / 1000;
    this.#first ||= gflops;
    return gflops;
  }

  /** Bandwidth of a copy, in GB/s, read and written. */
  async bandwidth() {
    const length = this.#device.adapter.software ? 1 << 16 : 1 << 24;
    const buffers = [0, 1].map(() => ({
      buffer: this.#device.gpu.createBuffer({ size: 16 * length, usage: 0x80 }),
    }));
    const program = await this.#device.launcher.prepare([
      { kernel: /** @type {any} */ (copy), params: { length }, buffers },
    ]);
    const microseconds = await this.time(program);
    for (const { buffer } of buffers) buffer.destroy();
    program.destroy();
    return (copy.cost?.({ length }).bytes ?? 0) / microseconds / 1000;
  }

  /** True if the clock is where it was at first. @param {number} gflops of the peak now */
  isSteady(gflops) {
    return gflops > STEADY * this.#first;
  }

  /** Microseconds of a run: the median of batches. @param {Program} program */
  async time(program, batches = 3, milliseconds = 6) {
    const batch = async (/** @type {number} */ runs) => {
      if (this.#heat) this.#device.launcher.replay(this.#heat);
      return this.#stopwatch.time(program, runs);
    };
    const first = await batch(2);
    const runs = Math.max(1, Math.min(200, Math.round((1000 * milliseconds) / Math.max(first, 1))));
    const times = [];
    for (let i = 0; i < batches; i++) times.push(await batch(runs));
    return times.sort((a, b) => a - b)[times.length >> 1] ?? first;
  }

  destroy() {
    this.#heat?.destroy();
    this.#stopwatch.destroy();
  }
}
