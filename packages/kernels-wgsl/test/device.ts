import type { Adapter } from "../src/launch/kernel.ts";
import { MATRIX_UNITS } from "../src/launch/matrices.ts";
import { rasteriser } from "../src/rasteriser/index.ts";

/** Opens the machine's adapter with all it has; in Node through Dawn, with the binding's `backend` if given. */
export async function openDevice(backend?: string): Promise<{ device: GPUDevice; adapter: Adapter }> {
  const gpu = await entryPoint(backend);
  const found = await gpu.requestAdapter();
  if (!found) throw new Error("no WebGPU adapter: `npm test` sets one up");
  const features = ["shader-f16", "subgroups", "timestamp-query", MATRIX_UNITS].filter((f) =>
    found.features.has(f),
  );
  const device = await found.requestDevice({
    requiredFeatures: features as GPUFeatureName[],
    requiredLimits: {
      maxComputeWorkgroupStorageSize: found.limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: found.limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: found.limits.maxComputeWorkgroupSizeX,
    },
  });
  const { vendor, architecture, subgroupMinSize, subgroupMaxSize, isFallbackAdapter } = found.info;
  const software =
    isFallbackAdapter || // Firefox hides names
    /llvmpipe|swiftshader|mesa|google|null/i.test(`${vendor} ${architecture} ${found.info.description}`);
  return {
    device,
    adapter: {
      key: `${vendor} ${architecture}`,
      software,
      rasteriser: software ? rasteriser : undefined,
      features: new Set(features),
      subgroupSize: [subgroupMinSize ?? 4, subgroupMaxSize ?? 128],
      workgroupMemory: device.limits.maxComputeWorkgroupStorageSize,
      workgroupThreads: device.limits.maxComputeInvocationsPerWorkgroup,
    },
  };
}

const kept: unknown[] = [];

async function entryPoint(backend?: string): Promise<GPU> {
  if (typeof navigator !== "undefined" && navigator.gpu) return navigator.gpu;
  const name = "webgpu"; // not for a bundler to follow into the browser
  const { create } = await import(/* @vite-ignore */ name);
  const gpu = create([...(backend ? [`backend=${backend}`] : []), "enable-dawn-features=allow_unsafe_apis"]);
  kept.push(gpu); // Dawn settles no promise once this is collected
  return gpu;
}
