import { type AnyVariant, type Program, Stopwatch } from "@shadegrad/kernels-wgsl";
import { isInteger } from "../core/dtype.ts";
import type { TensorData } from "../core/numbers.ts";
import type { Recorded } from "../core/recorder.ts";
import type { Device } from "../gpu/device.ts";
import type { Candidates } from "./candidates.ts";
import { type Clock, contest, type Time } from "./contest.ts";
import { type Inputs, inputsFor } from "./inputs.ts";

/** Outcome of the variants of a launch. */
export interface Outcome {
  /** Variant to take. */
  readonly winner: string;
  /** Times of the right variants, the fastest first. */
  readonly times: readonly Time[];
  /** Wrong variants, with the reason. */
  readonly rejected: readonly { readonly variant: string; readonly reason: string }[];
}

/**
 * Run the variants of a launch on random numbers: first each once, to compare its result with that of the plain one,
 * then the right ones in turns, to time them.
 *
 * @throws DeviceError if the device is lost, or the plain variant cannot run.
 */
export async function tryVariants(
  { launch, variants, preferred }: Candidates,
  device: Device,
): Promise<Outcome> {
  const { plain } = launch.kernel.variants;
  let inputs = inputsFor(launch, device, -1);
  const programs = new Map<string, Program>();
  const rejected: Outcome["rejected"][number][] = [];
  try {
    let expected = await resultsOf(plain, programs, launch, inputs, device);
    // A variance, or what a root is drawn of, is not negative.
    if (!expected.every(isOfNumbers)) {
      inputs.dispose();
      inputs = inputsFor(launch, device, 0);
      expected = await resultsOf(plain, programs, launch, inputs, device);
    }
    for (const variant of variants) {
      if (variant === plain) continue;
      const reason = await resultsOf(variant, programs, launch, inputs, device).then(
        (found) => differenceOf(found, expected, launch),
        (error: Error) => {
          if (device.isLost) throw error;
          return error.message;
        },
      );
      if (reason !== undefined) {
        rejected.push({ variant: variant.name, reason });
        programs.get(variant.name)?.destroy();
        programs.delete(variant.name);
      }
    }
    // The others have to beat the plain one where the preferred one was rejected.
    const incumbent = programs.has(preferred) ? preferred : plain.name;
    return { ...(await race(programs, incumbent, device)), rejected };
  } finally {
    for (const program of programs.values()) program.destroy();
    inputs.dispose();
  }
}

const isOfNumbers = (values: TensorData): boolean => values.every(Number.isFinite);

/** Result of a variant on the inputs, for comparison; its program stays in `programs`. */
async function resultsOf(
  { name }: AnyVariant,
  programs: Map<string, Program>,
  { kernel, params, holes, epilogue }: Recorded,
  { buffers, before, after, samples }: Inputs,
  device: Device,
): Promise<TensorData[]> {
  programs.get(name)?.destroy();
  const preparing = device.launcher.prepare([{ kernel, params, holes, epilogue, buffers, variant: name }]);
  const program = await device.rest(preparing);
  programs.set(name, program);
  device.launcher.replay(program, before, after);
  return Promise.all(samples.map((x) => x.data()));
}

/**
 * Two orders of adding up round differently; float16 keeps eleven bits. What is whole is the same.
 */
const TOLERANCE = { f32: 1e-4, f16: 2e-3 };

/** Fault of a variant's result; undefined if there is none. */
function differenceOf(
  found: readonly TensorData[],
  expected: readonly TensorData[],
  { kernel, reads, writes }: Recorded,
): string | undefined {
  const type = [...reads, ...writes].some(({ dtype }) => dtype === "f16") ? "f16" : "f32";
  for (const [i, { dtype }] of writes.entries()) {
    const most = isInteger(dtype) ? 0 : TOLERANCE[type];
    const error = relativeError(found[i]!, expected[i]!);
    if (!(error <= most))
      return `${kernel.writes[i]} is off by ${error.toPrecision(2)}, and ${most} is allowed`;
  }
  return undefined;
}

/** ‖found − expected‖₂ / ‖expected‖₂; against zeros, the root mean square. */
function relativeError(found: TensorData, expected: TensorData): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    // Equal infinities, or two NaN, differ by nothing; NaN from a number by NaN.
    if (!Object.is(a, b)) difference += (a - b) ** 2;
    if (Number.isFinite(b)) norm += b ** 2;
  }
  return expected.length === 0 ? 0 : Math.sqrt(difference / (norm || expected.length));
}

/** Times of programs by name: of the GPU's clock where it has one. */
async function race(programs: ReadonlyMap<string, Program>, incumbent: string, device: Device) {
  const stopwatch = new Stopwatch(device.gpu, (work) =>
    device.rest(work).catch(async (error) => {
      throw device.isLost ? await device.lost : error;
    }),
  );
  try {
    const clock: Clock = (variant, runs) => stopwatch.time(programs.get(variant)!, runs);
    return await contest([...programs.keys()], incumbent, clock);
  } finally {
    stopwatch.destroy();
  }
}
