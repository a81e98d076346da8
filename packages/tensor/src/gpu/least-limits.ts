import { DeviceError } from "../errors.ts";

/**
 * Limits that some kernel takes on every device, which each adapter has but those of the compatibility mode: a test
 * compares them with the shaders. What exceeds them is launched only where the device has more.
 */
export const LEAST_LIMITS = {
  maxStorageBuffersPerShaderStage: 8,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
  maxComputeWorkgroupStorageSize: 16_384,
} as const;

/** @throws DeviceError if a device has less than kernels need, which would be found out at some launch. */
export function checkLimits(limits: GPUSupportedLimits, name: string): void {
  const short = Object.entries(LEAST_LIMITS).filter(
    ([limit, least]) => limits[limit as keyof typeof LEAST_LIMITS] < least,
  );
  if (short.length === 0) return;
  const lacking = short.map(
    ([limit, least]) =>
      `${limit} of ${limits[limit as keyof typeof LEAST_LIMITS]}, and kernels need ${least}`,
  );
  throw new DeviceError(
    `init: ${name} has ${lacking.join("; ")}. A device in compatibility mode is not enough: ask for one with the adapter's own limits.`,
  );
}
