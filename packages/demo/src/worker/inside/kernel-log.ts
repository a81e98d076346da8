import type { Device } from "@shadegrad/tensor";
import type { InsideKernel } from "../../worker-client/messages/inside.ts";

/** Log of the launches of a device, each with its time where the device has timestamps. */
export class KernelLog {
  /** Index of the part of the net to which launches belong. */
  part = 0;
  readonly isTimed: boolean;
  readonly #device: Device;
  readonly #kernels: Omit<InsideKernel, "microseconds">[] = [];
  readonly #times: number[] = [];

  constructor(device: Device) {
    this.#device = device;
    this.isTimed = device.adapter.features.has("timestamp-query");
  }

  /** Log what `work` launches, until the device has finished it. */
  async record(work: () => void): Promise<InsideKernel[]> {
    const { launcher } = this.#device;
    const before = { onLaunch: launcher.onLaunch, onTimings: launcher.onTimings };
    launcher.onLaunch = ({ kernel, variant, cost }) => {
      const { flops = 0, bytes = 0 } = cost ?? {};
      this.#kernels.push({ kernel, variant, part: this.part, flops, bytes });
    };
    try {
      const timed = this.isTimed ? this.#startTiming() : undefined;
      work();
      await this.#device.synchronize();
      await timed;
    } finally {
      if (this.isTimed) launcher.stopTiming();
      Object.assign(launcher, before);
    }
    return this.#kernels.map((kernel, i) => ({ ...kernel, microseconds: this.#times[i] }));
  }

  /** → when every logged launch has its time */
  #startTiming(): Promise<void> {
    const { launcher } = this.#device;
    const complete = new Promise<void>((resolve) => {
      launcher.onTimings = (timings) => {
        this.#times.push(...timings.map(({ microseconds }) => microseconds));
        if (this.#times.length >= this.#kernels.length) resolve();
      };
    });
    launcher.startTiming();
    return complete;
  }
}
