import { type Device, debugLevel } from "@shadegrad/tensor";
import type { Batch } from "../data/index.ts";
import type { Steps } from "./step.ts";

/** Steps that wait for the GPU while the next is prepared. */
const IN_FLIGHT = 2;
/** Milliseconds between two reads of the loss: each lets the GPU run dry for a moment. */
const READ_INTERVAL = debugLevel >= 1 ? 0 : 1000;

/** Sums over the steps since the last read. */
export interface StepSums {
  readonly steps: number;
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
  readonly seconds: number;
}

/** Launches steps ahead of the GPU, and reads their loss now and then. */
export class StepQueue {
  readonly #device: Device;
  readonly #launch: (batch: Batch, step: number) => Promise<void>;
  /** Steps since the last read, and its time. */
  #unread = 0;
  #readAt = performance.now();
  #inFlight: Promise<void>[] = [];

  /** `launch` is called for each step with its index. */
  constructor(device: Device, launch: (batch: Batch, step: number) => Promise<void>) {
    this.#device = device;
    this.#launch = launch;
  }

  /** Steps since the last read. */
  get unread(): number {
    return this.#unread;
  }

  /** True if the last read is so long ago that another costs little. */
  get isDue(): boolean {
    return performance.now() - this.#readAt >= READ_INTERVAL;
  }

  /** Count time from now on: a validation is no part of the training's. */
  startClock(): void {
    this.#readAt = performance.now();
  }

  /** Launch a step; wait while the GPU is more than two behind, for each waiting step holds memory. */
  async step(batch: Batch, step: number): Promise<void> {
    await this.#launch(batch, step);
    this.#unread++;
    const done = this.#device.synchronize();
    done.catch(() => {}); // awaited below, when its turn comes
    this.#inFlight.push(done);
    if (this.#inFlight.length > IN_FLIGHT) await this.#inFlight.shift();
  }

  /** Wait for all steps, and read their sums. */
  async read(steps: Pick<Steps, "read">): Promise<StepSums> {
    const { loss, correct, images } = await steps.read();
    await Promise.all(this.#inFlight);
    this.#inFlight = [];
    const now = performance.now();
    const sums = { steps: this.#unread, loss, correct, images, seconds: (now - this.#readAt) / 1000 };
    this.#unread = 0;
    this.#readAt = now;
    return sums;
  }
}
