import type { Adapter } from "@shadegrad/kernels-wgsl";
import { checkChoice, DeviceError } from "../errors.ts";

/**
 * Precision of products: f32 throughout, or operands and results in f16, where adapters are faster
 * and memory lasts twice as long. Sums are f32 in both.
 */
export type Precision = "f32" | "f16";

/** Members of a device that determine a precision. */
interface PrecisionOf {
  readonly name: string;
  readonly adapter: Adapter;
  readonly precision: Precision;
}

const checkName = (op: string, precision: Precision): void =>
  checkChoice(op, "precision", precision, ["f32", "f16"]);

let override: Precision | undefined;

/**
 * Run `f` while conv2d, linear and matmul take their operands in this precision, whatever the device's own:
 * f32 tensors, weights say, are cast on their way in, and get their gradients in f32.
 *
 * @throws TypeError if `f` returns a promise: what it does after its first await would be as outside.
 */
export function autocast<T>(precision: Precision, f: () => T): T {
  checkName("autocast", precision);
  const before = override;
  override = precision;
  try {
    const result = f();
    if (result instanceof Promise) {
      result.catch(() => {}); // its later errors follow from this one
      throw new TypeError(
        `autocast: the function is async, and what it makes after its first await would not be ${precision}. Read values outside.`,
      );
    }
    return result;
  } finally {
    override = before;
  }
}

/**
 * Precision of products on a device now.
 *
 * @throws DeviceError if that is f16 by `autocast`, and the device has no shader-f16.
 */
export function precisionOn({ name, adapter, precision }: PrecisionOf): Precision {
  if (override && override !== precision) checkPrecision("autocast", override, adapter.features, name);
  return override ?? precision;
}

/** @throws DeviceError if an adapter of these features cannot compute in that precision; RangeError if there is none such. */
export function checkPrecision(
  op: string,
  precision: Precision,
  features: { has(feature: string): boolean },
  name: string,
): Precision {
  checkName(op, precision);
  if (precision === "f16" && !features.has("shader-f16")) {
    throw new DeviceError(
      `${op}: precision f16 needs the WebGPU feature shader-f16, which ${name} does not have here. Take precision f32, which every adapter has, or another adapter or browser.`,
    );
  }
  return precision;
}
