import { afterEach, describe, expect, it, vi } from "vitest";
import { openAdapter } from "../../src/gpu/adapter.ts";
import { DeviceError } from "../../src/index.ts";
import { COMPATIBILITY, PLATFORMS, type Platform } from "./platforms.ts";

/** Limits and features that a page asked a device for. */
type Asked = Required<Pick<GPUDeviceDescriptor, "requiredFeatures" | "requiredLimits">>;

/** An adapter that refuses what the standard lets it refuse: a feature or a limit that it has not got. */
function adapterOf({ name, features, limits, subgroupSize }: Platform, asked: Asked[] = []): object {
  const [subgroupMinSize, subgroupMaxSize] = subgroupSize ?? [];
  const info = {
    vendor: "",
    architecture: "",
    device: "",
    description: name,
    subgroupMinSize,
    subgroupMaxSize,
  };
  return {
    info,
    features: new Set(features),
    limits,
    async requestDevice(descriptor: Asked) {
      asked.push(descriptor);
      for (const feature of descriptor.requiredFeatures)
        if (!features.includes(feature)) throw new TypeError(`no feature ${feature}`);
      for (const [limit, value] of Object.entries(descriptor.requiredLimits))
        if (limits[limit] === undefined || !(value! <= limits[limit]!))
          throw new TypeError(`no ${limit} of ${value}`);
      return { features: new Set(descriptor.requiredFeatures), limits: { ...limits }, adapterInfo: info };
    },
  };
}

/** Let the platform's entry point give this adapter. */
const pretend = (adapter: object): void => {
  vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => adapter }, userAgent: "" });
};

afterEach(() => vi.unstubAllGlobals());

describe("init asks for nothing that is lacking", () => {
  it.each(PLATFORMS.map((platform) => [platform.name, platform] as const))("on %s", async (_, platform) => {
    const asked: Asked[] = [];
    pretend(adapterOf(platform, asked));
    const { adapter, description } = await openAdapter();
    expect(description).toBe(platform.name);
    expect([...adapter.features].sort()).toEqual([...platform.features].sort());
    expect(adapter.workgroupThreads).toBe(platform.limits.maxComputeInvocationsPerWorkgroup);
    expect(asked).toHaveLength(1);
    expect(asked[0]!.requiredLimits).toMatchObject({ maxBufferSize: platform.limits.maxBufferSize });
  });

  it("for the adapter would refuse it", async () => {
    const [iphone] = PLATFORMS as readonly [Platform];
    const { requestDevice } = adapterOf(iphone) as GPUAdapter;
    await expect(requestDevice({ requiredFeatures: ["subgroups"], requiredLimits: {} })).rejects.toThrow(
      "no feature subgroups",
    );
    await expect(
      requestDevice({ requiredFeatures: [], requiredLimits: { maxBufferSize: 2 ** 40 } }),
    ).rejects.toThrow("no maxBufferSize");
  });
});

describe("a device in compatibility mode is refused, with what it lacks", () => {
  const message =
    /^init: compatibility mode has maxStorageBuffersPerShaderStage of 4, and kernels need \d; maxComputeInvocationsPerWorkgroup of 128, and kernels need 256; .*ask for one with/;

  it("where the platform gives it", async () => {
    pretend(adapterOf(COMPATIBILITY));
    await expect(openAdapter()).rejects.toThrow(DeviceError);
    await expect(openAdapter()).rejects.toThrow(message);
  });

  it("where the caller gives it", async () => {
    const adapter = adapterOf(COMPATIBILITY) as GPUAdapter;
    const device = await adapter.requestDevice({ requiredFeatures: [], requiredLimits: {} });
    await expect(openAdapter({ device })).rejects.toThrow(message);
  });
});
