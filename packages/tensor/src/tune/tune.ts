import { reduced } from "../compile/plan.ts";
import { record } from "../compile/record.ts";
import { bytesOf } from "../core/dtype.ts";
import type { Recorded } from "../core/recorder.ts";
import { checkShape, type Shape, sizeOf } from "../core/shape.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { checkOptions, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { keepVariants } from "../gpu/tuned.ts";
import type { Layer } from "../nn/module.ts";
import { type Candidates, candidatesOf } from "./candidates.ts";
import { tryVariants } from "./measure.ts";
import { shapeText } from "./shape-text.ts";
import { deviceOf, withStep } from "./step.ts";
import { table } from "./table.ts";
import type { Tuning, TuningRow } from "./tuning.ts";

export interface TuneOptions {
  /** For a model: true to tune a training step, false to tune prediction alone. */
  training?: boolean | undefined;
  /** False to forget the choices when the process ends; true if absent. */
  keep?: boolean | undefined;
  /** Called after each choice, with its index from 1 and the total. */
  onProgress?: ((row: TuningRow, done: number, of: number) => void) | undefined;
  /** Stops the tuning; choices made by then stay. */
  signal?: AbortSignal | undefined;
}

/**
 * Measure which variants of kernels are the fastest here for what a function launches, or a model for images of these
 * shapes, and take them from now on, in later processes too: `await tune(model, [[1, 224, 224, 3]])`.
 *
 * The function is recorded as by `compile`, and not run. The launches to measure are those of the compiled function, except
 * that a convolution and the batch norm after it in a training step are measured separately. Each variant that fits is first
 * run on random numbers and compared with the kernel's plain variant, which the tests of this package
 * hold against float64: one that is off by more than 10⁻⁴ (2·10⁻³ in f16), or whose shader does not compile, is
 * rejected and named. The others are timed in turns, by timestamps where there are any. The kernel's own preference stays
 * unless another is faster twice, each time by 3 % and by more than the times spread. Let nothing else compute meanwhile.
 *
 * Variants add up in different orders: results may change in their last bits, and a training that goes on after this is
 * not the same, bit by bit, as one that was not interrupted. Functions that were compiled before stay as they are.
 *
 * @throws ShapeError where a call would; DeviceError if the device is lost.
 */
export async function tune<A extends readonly Tensor[]>(
  f: (...args: A) => unknown,
  args: A,
  options?: TuneOptions,
): Promise<Tuning>;
export async function tune(
  model: Layer & object,
  shapes: readonly Shape[],
  options?: TuneOptions,
): Promise<Tuning>;
export async function tune(
  what: ((...args: Tensor[]) => unknown) | (Layer & object),
  given: readonly Tensor[] | readonly Shape[],
  options: TuneOptions = {},
): Promise<Tuning> {
  checkOptions("tune", options, ["training", "keep", "onProgress", "signal"]);
  const { keep = true, onProgress, signal } = options;
  const start = performance.now();
  const isFunction = typeof what === "function";
  const device = isFunction ? ((given[0] as Tensor | undefined)?.device ?? defaultDevice()) : deviceOf(what);
  const launches = isFunction
    ? launchesOf(what, given as Tensor[])
    : ofModel(what, given as readonly Shape[], device, options.training ?? false);
  const all = candidatesOf(launches, device);
  const rows: TuningRow[] = [];
  const variants = new Map<string, string>();
  let kept: string | undefined;
  try {
    for (const candidates of all) {
      if (signal?.aborted) break;
      const row = await rowOf(candidates, device);
      rows.push(row);
      variants.set(candidates.key, row.variant);
      device.useVariant(candidates.key, row.variant);
      onProgress?.(row, rows.length, all.length);
    }
  } finally {
    if (keep && rows.length > 0) kept = keepVariants(device.adapter.key, variants);
  }
  const stopped = rows.length < all.length;
  const seconds = (performance.now() - start) / 1000;
  const found = { adapter: device.name, rows, seconds, stopped, kept };
  return { ...found, toString: () => table(found) };
}

/** Launches of a compiled function per call. */
function launchesOf(f: (...args: Tensor[]) => unknown, args: Tensor[]): readonly Recorded[] {
  const { recording } = record("tune", f, args);
  // Variants are measured of `conv2d` itself; `compile` goes by them where it leaves moments.
  recording.recorder.pass = undefined;
  const { varying } = reduced(recording);
  for (const x of [...recording.args, ...recording.results]) x.dispose();
  recording.recorder.undo();
  recording.recorder.release();
  return varying;
}

function ofModel(
  model: Layer & object,
  shapes: readonly Shape[],
  device: Device,
  training: boolean,
): Recorded[] {
  if (shapes.length === 0) throw new ShapeError("tune: there is no shape to tune the model for.");
  return shapes.flatMap((shape) => {
    const size = bytesOf("f32") * sizeOf(checkShape("tune", shape));
    using x = new Tensor(shape, "f32", new Storage(device, size, "an argument", "planned"));
    return withStep(model, training, (step) => launchesOf(step, [x]));
  });
}

async function rowOf(candidates: Candidates, device: Device): Promise<TuningRow> {
  const { launch, count, preferred } = candidates;
  const { winner, times, rejected } = await tryVariants(candidates, device);
  const best = times.find(({ variant }) => variant === winner)!;
  return {
    kernel: launch.kernel.name,
    shape: shapeText(launch.params),
    launches: count,
    ...best,
    preferred,
    others: times.filter((time) => time !== best),
    rejected,
  };
}
