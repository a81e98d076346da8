import { describe, expect, it } from "vitest";
import { BufferPool } from "../../src/gpu/pool.ts";
import { DeviceError, init, ones, openDevice, tensor, zeros } from "../../src/index.ts";

const quiet = { quiet: true };

describe("init", () => {
  it("gives the same device when called again, a new one when that is lost", async () => {
    const first = await init();
    expect(await init()).toBe(first);
    first.destroy();
    await first.lost;
    const second = await init();
    expect(second).not.toBe(first);
    expect(await ones([1]).item()).toBe(1);
  });

  it("stays with the device that it has when another cannot be opened", async () => {
    const device = await init();
    await expect(init({ ...quiet, limits: { maxWishes: 3 } })).rejects.toThrow(DeviceError);
    expect(await init()).toBe(device);
    expect(ones([1]).device).toBe(device);
  });

  it("names the limit that the adapter has not got, asked for and offered", async () => {
    const opening = openDevice({ ...quiet, limits: { maxBufferSize: 2 ** 50 } });
    await expect(opening).rejects.toThrow(DeviceError);
    await expect(opening).rejects.toThrow(
      /^init: maxBufferSize of 1125899906842624 asked for; .+ has \d+\.$/,
    );
    await expect(openDevice({ ...quiet, limits: { maxWishes: 3 } })).rejects.toThrow(
      "WebGPU has no limit named maxWishes",
    );
  });

  it("takes a device that the caller has", async () => {
    const { gpu } = await openDevice(quiet);
    const device = await openDevice({ ...quiet, device: gpu });
    expect(await ones([2], { device }).data()).toEqual(Float32Array.of(1, 1));
  });
});

/** A device as a browser might show it: with other members in place of some of its own. */
const shown = (gpu: GPUDevice, members: Partial<Record<keyof GPUDevice, unknown>>): GPUDevice =>
  new Proxy(gpu, {
    get(target, name) {
      const value = name in members ? members[name as keyof GPUDevice] : Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });

describe("a device of the caller", () => {
  it("may have no adapterInfo, as in Safari 26.0", async () => {
    const { gpu } = await openDevice(quiet);
    const device = await openDevice({ ...quiet, device: shown(gpu, { adapterInfo: undefined }) });
    expect(device.name).toBe("unnamed adapter");
    expect(await ones([2], { device }).data()).toEqual(Float32Array.of(1, 1));
    device.destroy();
  });

  it("is known by what it can do where it has no name", async () => {
    const { gpu, adapter } = await openDevice(quiet);
    const keyWith = async (info: object, limits: object = {}) => {
      const of = { adapterInfo: info, limits: shown(gpu.limits as never, limits as never) };
      return (await openDevice({ ...quiet, device: shown(gpu, of) })).adapter.key;
    };
    const nameless = await keyWith({ vendor: "", architecture: "", device: "", description: "" });
    expect(nameless).toMatch(/^unnamed adapter .*\d/);
    expect(await keyWith({})).toBe(nameless);
    expect(await keyWith({}, { maxComputeWorkgroupStorageSize: 16_384 + 1 })).not.toBe(nameless);
    expect(await keyWith({ vendor: "nvidia", architecture: "ampere" })).toMatch(/^nvidia ampere .*\d/);
    expect(await keyWith({ description: adapter.key })).toBe(adapter.key);
    gpu.destroy();
  });
});

describe("a tensor that is too large", () => {
  it("is refused at the call, with what was asked and what there is", async () => {
    const device = await init();
    const most = Math.min(device.gpu.limits.maxStorageBufferBindingSize, device.gpu.limits.maxBufferSize);
    const side = Math.floor(most / 4 / 1024) + 1;
    expect(() => zeros([side, 1024])).toThrow(DeviceError);
    expect(() => zeros([side, 1024])).toThrow(
      /^zeros: a tensor f32 \[\d+, 1024\] needs [\d.]+ [MG]iB; this device binds at most [\d.]+ [MG]iB\.$/,
    );
  });

  it("works up to the limit, above 128 MiB where the adapter allows", async () => {
    const device = await init();
    const most = Math.min(device.gpu.limits.maxStorageBufferBindingSize, 160 * 2 ** 20);
    const x = ones([most / 4]);
    const data = await x.data();
    expect(data.length).toBe(most / 4);
    expect(data.at(-1)).toBe(1);
    x.dispose();
    device.trim();
  });
});

describe("a lost device", () => {
  it("rejects what is being awaited, and everything after it", async () => {
    const device = await openDevice(quiet);
    const x = tensor([1, 2, 3], undefined, { device });
    const reading = x.data();
    device.destroy();
    await expect(reading).rejects.toThrow(DeviceError);
    await expect(x.data()).rejects.toThrow(/the device was lost \(destroyed\).*init\(\) opens a new one/);
    await expect(device.synchronize()).rejects.toThrow(DeviceError);
    expect(device.isLost).toBe(true);
    x.dispose();
  });
});

it("a mapping that fails rejects the reading, and nothing else", async () => {
  const device = await openDevice(quiet);
  const x = ones([3], { device });
  const { createBuffer } = device.gpu;
  device.gpu.createBuffer = (descriptor) => {
    const buffer = createBuffer.call(device.gpu, descriptor);
    buffer.mapAsync = async () => {
      throw new DOMException("no mapping today", "OperationError");
    };
    buffer.unmap = () => {
      throw new DOMException("was not mapped", "OperationError");
    };
    return buffer;
  };
  await expect(x.data()).rejects.toThrow("no mapping today");
  device.gpu.createBuffer = createBuffer;
  await new Promise((resolve) => setTimeout(resolve, 20)); // a rejection that nobody handles fails the test
  expect(await x.data()).toEqual(Float32Array.of(1, 1, 1));
  device.destroy();
});

/** Make what there is no memory for: the driver's answer, simulated, as real exhaustion would end the test's own process. */
function without<T>(gpu: GPUDevice, make: () => T): T {
  const real = gpu.popErrorScope;
  gpu.popErrorScope = async () => {
    await real.call(gpu);
    return { message: "no memory left" } as GPUError;
  };
  try {
    return make();
  } finally {
    gpu.popErrorScope = real;
  }
}

describe("a device that runs out of memory", () => {
  it("says at the next await what was asked and what was in use, and goes on", async () => {
    const device = await openDevice(quiet);
    const before = ones([1 << 18], { device });
    ones([1 << 19], { device }).dispose();
    const x = without(device.gpu, () => ones([1 << 20], { device }));
    await expect(x.data()).rejects.toThrow(
      /^out of memory: 4 MiB asked for with 1 MiB in use and 2 MiB kept for reuse, which have been given back now, as by device\.trim\(\)\. no memory left$/,
    );
    // The 2 MiB are gone. The buffer that was to be read through, 4 MiB, is back when its mapping has failed as well.
    expect([0, 4 << 20]).toContain(device.counts.freeBytes);
    expect((await before.data())[0]).toBe(1);
    // The buffer that came to nothing is not handed out again.
    const { bytes, freeBytes, buffers } = device.counts;
    x.dispose();
    expect(device.counts).toMatchObject({ bytes, freeBytes });
    expect((await ones([1 << 20], { device }).data())[0]).toBe(1);
    expect(device.counts.buffers).toBeGreaterThan(buffers);
    device.destroy();
  });

  it("reads with the same buffer again after a reading that failed", async () => {
    const device = await openDevice(quiet);
    const small = ones([3], { device });
    without(device.gpu, () => ones([1 << 20], { device }));
    await expect(small.data()).rejects.toThrow(/^out of memory/);
    await device.synchronize();
    const { buffers } = device.counts;
    expect(await small.data()).toEqual(Float32Array.of(1, 1, 1));
    expect(device.counts.buffers).toBe(buffers);
    device.destroy();
  });
});

it("a buffer is never larger than what the device binds, though its size is rounded up", () => {
  const limits = { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 31 - 4 };
  const createBuffer = ({ size }: { size: number }) => ({ size });
  const scopes = { pushErrorScope() {}, popErrorScope: async () => null };
  const pool = new BufferPool({ limits, createBuffer, ...scopes } as unknown as GPUDevice, 0, () => {});
  expect(pool.take(2 ** 31 - 4).size).toBe(2 ** 31 - 4);
  expect(pool.take(2 ** 31 - 2 ** 20).size).toBe(2 ** 31 - 4);
  expect(pool.take(2 ** 20 + 1).size).toBe(2 ** 20 + 2 ** 17);
});
