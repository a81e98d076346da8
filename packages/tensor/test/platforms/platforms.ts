/** Limits and features of an implementation of WebGPU on a kind of machine, as far as the engine uses it. */
export interface Platform {
  readonly name: string;
  /** Source of the numbers. */
  readonly source: string;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** Invocations in a subgroup, where it has subgroups. */
  readonly subgroupSize?: readonly [min: number, max: number];
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** The least that any adapter has which is not in compatibility mode. */
const DEFAULTS = {
  maxBufferSize: 256 * MIB,
  maxStorageBufferBindingSize: 128 * MIB,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 16 * KIB,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupSizeY: 256,
  maxComputeWorkgroupSizeZ: 64,
  maxComputeWorkgroupsPerDimension: 65_535,
  minUniformBufferOffsetAlignment: 256,
  minStorageBufferOffsetAlignment: 256,
};

const WEBKIT = "WebKit, Source/WebGPU/WebGPU/HardwareCapabilities.mm at 02cba9a8";
const DAWN = "Dawn, src/dawn/native/Limits.cpp: the tiers that Chrome rounds an adapter's limits down to";

const APPLE6 = {
  ...DEFAULTS,
  maxStorageBuffersPerShaderStage: 44,
  maxComputeWorkgroupStorageSize: 32 * KIB,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
  maxComputeWorkgroupSizeY: 1024,
  maxComputeWorkgroupSizeZ: 1024,
  minUniformBufferOffsetAlignment: 32,
  minStorageBufferOffsetAlignment: 32,
};

/** WebKit's features, on any machine, that the engine knows; it has no subgroups and no subgroup matrices. */
const WEBKIT_FEATURES = ["shader-f16", "timestamp-query"];

/** Platforms that the suite does not run on. */
export const PLATFORMS: readonly Platform[] = [
  {
    name: "Safari on an iPhone before the A13",
    source: `${WEBKIT}, apple4 and apple5`,
    features: ["shader-f16"],
    limits: { ...DEFAULTS, maxStorageBufferBindingSize: 256 * MIB },
  },
  {
    name: "Safari on an iPhone from the A13 on",
    source: `${WEBKIT}, apple6 and apple7; maxBufferSize is a tenth of the device's, and at least this`,
    features: WEBKIT_FEATURES,
    limits: { ...APPLE6, maxStorageBufferBindingSize: 256 * MIB },
  },
  {
    name: "Safari on a Mac",
    source: `${WEBKIT}, apple7 and mac2`,
    features: WEBKIT_FEATURES,
    limits: { ...APPLE6, maxBufferSize: 1024 * MIB, maxStorageBufferBindingSize: 1024 * MIB },
  },
  {
    name: "Chrome on Android, lowest tier",
    source: DAWN,
    features: [],
    limits: DEFAULTS,
  },
  {
    name: "Chrome on Android, second tier",
    source: DAWN,
    features: ["shader-f16", "subgroups", "timestamp-query"],
    limits: {
      ...DEFAULTS,
      maxBufferSize: 1024 * MIB,
      maxStorageBufferBindingSize: 512 * MIB,
      maxStorageBuffersPerShaderStage: 10,
      maxComputeWorkgroupStorageSize: 32 * KIB,
      maxComputeInvocationsPerWorkgroup: 1024,
      maxComputeWorkgroupSizeX: 1024,
      maxComputeWorkgroupSizeY: 1024,
    },
    subgroupSize: [16, 128],
  },
];

/** WebGPU over OpenGL ES 3.1, which a page asks for by `featureLevel: "compatibility"`. */
export const COMPATIBILITY: Platform = {
  name: "compatibility mode",
  source: `${DAWN}; storage buffers as its first proposal had them, for later ones have more`,
  features: [],
  limits: {
    ...DEFAULTS,
    maxStorageBuffersPerShaderStage: 4,
    maxComputeInvocationsPerWorkgroup: 128,
    maxComputeWorkgroupSizeX: 128,
    maxComputeWorkgroupSizeY: 128,
  },
};
