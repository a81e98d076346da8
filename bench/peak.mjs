import { copy, fma } from "@shadegrad/kernels-wgsl/peak";
import { buffers } from "./buffers.mjs";
import { measure } from "./measure.mjs";

/** @typedef {{ gflops: number, gbytes: number }} Peak */

// As much work as takes a few milliseconds, on a CPU and on a GPU.
const SIZES = {
  software: { fma: { length: 1 << 14, steps: 512 }, copy: { length: 1 << 20 } },
  gpu: { fma: { length: 1 << 21, steps: 1024 }, copy: { length: 1 << 24 } },
};

/**
 * What the adapter reaches when it does nothing but multiply and add, or nothing but copy.
 *
 * @param {import("@shadegrad/tensor").Device} device
 * @returns {Promise<Peak>}
 */
export async function peaks(device) {
  const sizes = SIZES[device.adapter.software ? "software" : "gpu"];
  const rate = async (kernel, params, lengths, count) => {
    const made = buffers(device, lengths);
    const { microseconds } = await measure(device, () => device.launcher.launch(kernel, params, made));
    for (const buffer of made) buffer.destroy();
    return count / microseconds / 1000;
  };
  const sums = { ...sizes.fma, scale: 0.75, shift: 0.5 };
  return {
    gflops: await rate(fma, sums, [sums.length], fma.cost(sums).flops),
    gbytes: await rate(
      copy,
      sizes.copy,
      [4 * sizes.copy.length, 4 * sizes.copy.length],
      copy.cost(sizes.copy).bytes,
    ),
  };
}
