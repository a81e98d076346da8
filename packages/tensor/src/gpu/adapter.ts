import type { Adapter } from "@shadegrad/kernels-wgsl";
import { checkOptions, DeviceError } from "../errors.ts";
import { checkLimits } from "./least-limits.ts";
import { matrixUnitsOf } from "./matrices.ts";
import type { Completion } from "./polling.ts";
import { checkPrecision, type Precision } from "./precision.ts";

export interface InitOptions {
  /** Choice among several GPUs. */
  powerPreference?: GPUPowerPreference;
  /** Minimum limits of the device, beyond those that the engine requests. */
  limits?: Record<string, number>;
  /** Existing device to use in place of a new one. */
  device?: GPUDevice;
  /**
   * Precision of products (conv2d, linear, matmul): f32 unless given. With f16, tensors that are
   * f32 are cast on their way in, parameters stay f32, sums are f32, and so are losses.
   */
  precision?: Precision | undefined;
  /**
   * True if kernels go by what `tune` measured on this adapter in a process before, true if absent; or what it found,
   * where somebody else has kept that, as a page does for its worker. Bits of results may depend on it.
   */
  tuned?: boolean | ReadonlyMap<string, string>;
  /** True to suppress the warning about a software adapter. */
  quiet?: boolean;
}

const INIT_OPTIONS = ["powerPreference", "limits", "device", "precision", "tuned", "quiet"];

export interface Opened {
  readonly gpu: GPUDevice;
  readonly adapter: Adapter;
  /** Name of the adapter, by its driver. */
  readonly description: string;
  readonly precision: Precision;
  readonly completion: Completion;
}

const FEATURES = ["shader-f16", "subgroups", "timestamp-query", "chromium-experimental-subgroup-matrix"];

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
  "minUniformBufferOffsetAlignment",
] as const;

/** Ask the platform for a device: the page's `navigator.gpu`, or Dawn through the `webgpu` package in Node. */
export async function openAdapter(options: InitOptions = {}): Promise<Opened> {
  checkOptions("init", options, INIT_OPTIONS);
  const { precision = "f32" } = options;
  if (options.device) {
    // Safari 26.0 has devices without adapterInfo.
    const { features, adapterInfo = UNKNOWN } = options.device;
    checkPrecision("init", precision, features, nameOf(adapterInfo));
    return describe(options.device, adapterInfo, precision);
  }
  const gpu = await entryPoint();
  const { powerPreference } = options;
  const found = await gpu.requestAdapter(powerPreference ? { powerPreference } : {});
  if (!found) throw new DeviceError(`init: WebGPU is here but has no adapter. ${ADVICE}`);
  const offered = found.limits as unknown as Record<string, number>;
  for (const [name, wanted] of Object.entries(options.limits ?? {})) {
    const offer = offered[name];
    if (offer === undefined) throw new DeviceError(`init: WebGPU has no limit named ${name}.`);
    if (wanted > offer) {
      throw new DeviceError(
        `init: ${name} of ${wanted} asked for; ${found.info.description || "this adapter"} has ${offer}.`,
      );
    }
  }
  checkPrecision("init", precision, found.features, nameOf(found.info));
  const device = await found.requestDevice({
    requiredFeatures: FEATURES.filter((feature) => found.features.has(feature)) as GPUFeatureName[],
    requiredLimits: {
      ...Object.fromEntries(LIMITS.map((name) => [name, offered[name]!])),
      ...options.limits,
    },
  });
  if (dawn) closeAtExit(device);
  return describe(device, found.info, precision);
}

const UNKNOWN: Partial<GPUAdapterInfo> = {};

const nameOf = ({ description, vendor, architecture, device }: Partial<GPUAdapterInfo>): string =>
  description || [vendor, architecture, device].filter(Boolean).join(" ") || "unnamed adapter";

/** Key for kept measurements: browsers that hide the name of a GPU still show its limits and features. */
function keyOf(info: Partial<GPUAdapterInfo>, { limits, features }: GPUDevice): string {
  if (info.description) return info.description;
  const offered = limits as unknown as Record<string, number>;
  const abilities = [...[...features].sort(), ...LIMITS.map((name) => offered[name])];
  return [nameOf(info), ...abilities].join(" ");
}

async function describe(
  gpu: GPUDevice,
  info: Partial<GPUAdapterInfo>,
  precision: Precision,
): Promise<Opened> {
  const { architecture = "", subgroupMinSize = 4, subgroupMaxSize = 128, isFallbackAdapter = false } = info;
  const description = nameOf(info);
  checkLimits(gpu.limits, description);
  const software =
    isFallbackAdapter || /llvmpipe|swiftshader|software|basic render/i.test(`${architecture} ${description}`);
  const adapter: Adapter = {
    key: keyOf(info, gpu),
    software,
    // No page on a GPU downloads it.
    rasteriser: software ? (await import("@shadegrad/kernels-wgsl/rasteriser")).rasteriser : undefined,
    features: new Set(gpu.features),
    subgroupSize: [subgroupMinSize, subgroupMaxSize],
    workgroupMemory: gpu.limits.maxComputeWorkgroupStorageSize,
    workgroupThreads: gpu.limits.maxComputeInvocationsPerWorkgroup,
    ...(software ? {} : await matrixUnitsOf(gpu, info)),
  };
  return { gpu, adapter, description, precision, completion: completionHere() };
}

function completionHere(): Completion {
  if (dawn) return "polled";
  const isFirefox = typeof navigator !== "undefined" && /\bFirefox\//.test(navigator.userAgent ?? "");
  return isFirefox ? "submitted" : "signalled";
}

const onNode = typeof process !== "undefined" && Boolean(process.versions?.node);

const ADVICE = !onNode
  ? "Update the browser, or turn WebGPU on in its settings (chrome://flags, about:config)."
  : process.platform === "linux"
    ? "Install your GPU's Vulkan driver, or Mesa ≥ 24 for a software one (Debian and Ubuntu: mesa-vulkan-drivers), and set XDG_RUNTIME_DIR."
    : "Update the graphics driver.";

// Dawn settles no promise once its entry point is collected.
let dawn: GPU | undefined;

const open = new Set<GPUDevice>();

/** A driver on the CPU crashes a process that ends while the driver's threads compile. */
function closeAtExit(device: GPUDevice): void {
  if (open.size === 0) process.once("exit", closeAll);
  open.add(device);
  device.lost.then(() => {
    open.delete(device);
    if (open.size === 0) process.off("exit", closeAll);
  });
}

function closeAll(): void {
  for (const device of open) device.destroy();
}

async function entryPoint(): Promise<GPU> {
  if (typeof navigator !== "undefined" && navigator.gpu) return navigator.gpu;
  if (!onNode) throw new DeviceError(`init: this browser has no WebGPU (no navigator.gpu). ${ADVICE}`);
  if (dawn) return dawn;
  const binding = "webgpu"; // a variable, so that no bundler follows it into the browser
  try {
    const { create } = (await import(/* @vite-ignore */ binding)) as { create: (flags: string[]) => GPU };
    dawn = create([
      // Timestamps fine enough for single kernels; float16, which Dawn hides on NVIDIA; matrix units.
      "disable-dawn-features=timestamp_quantization",
      "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
    ]);
    return dawn;
  } catch (cause) {
    throw new DeviceError(
      `init: the webgpu package (Dawn for Node) does not load here: ${(cause as Error).message}`,
      { cause },
    );
  }
}
