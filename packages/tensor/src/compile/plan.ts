import {
  type Copy,
  type Placed,
  type Planned,
  type Program,
  perLaunch,
  type Timing,
} from "@shadegrad/kernels-wgsl";
import type { Adjacent, Recorded, Recorder, TensorBinding } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { empty, type Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import { storagesOf } from "./bindings.ts";
import { foldNormalization } from "./fold.ts";
import { divide, dropUnread, unchanged } from "./liveness.ts";
import { planMemory } from "./memory.ts";
import { type Merged, mergeElementwise } from "./merge.ts";

/** Summary of a plan, as a text or by its numbers. */
export interface PlanSummary {
  /** Launches of the function as recorded; launches per call; launches that run only when weights change. */
  readonly recorded: number;
  readonly launches: number;
  readonly constant: number;
  /** Elementwise launches that were merged into another. */
  readonly merged: number;
  /**
   * Bytes for all that is computed on the way at each call, scratch memory of launches among them; and what they would
   * be if each tensor had its own, without scratch memory.
   */
  readonly bytes: number;
  readonly bytesWithoutReuse: number;
  /** Bytes that last from call to call, such as folded weights. */
  readonly constantBytes: number;
  /** Launches of a call in order, each with the number of elementwise ones merged into it. */
  readonly steps: readonly { readonly kernel: string; readonly merged: number }[];
  toString(): string;
}

/** A recorded function: its launches, arguments and results. */
export interface Recording {
  readonly recorder: Recorder;
  readonly device: Device;
  readonly args: readonly Tensor[];
  readonly results: readonly Tensor[];
}

/** A recorded function with its memory, pipelines and bind groups. */
export class Plan {
  readonly summary: PlanSummary;
  readonly #device: Device;
  readonly #recording: Recording;
  readonly #buffers: readonly GPUBuffer[];
  readonly #replaced: readonly Storage[];
  readonly #constants: Program;
  /** Storages that the constants were computed from, and their versions at that time. */
  readonly #sources: readonly Storage[];
  #versions: readonly number[] | undefined;
  readonly #varying: Program;
  readonly #thunks: readonly { i: number; params: NonNullable<Recorded["paramsAtCall"]> }[];
  readonly #find: Parts["find"];

  private constructor(recording: Recording, parts: Parts, constants: Program, varying: Program) {
    this.#recording = recording;
    this.#device = recording.device;
    const { bytes, constantBytes } = parts.numbers;
    this.summary = summarize({
      ...parts.numbers,
      bytes: bytes + varying.scratchBytes,
      constantBytes: constantBytes + constants.scratchBytes,
    });
    this.#buffers = parts.buffers;
    this.#find = parts.find;
    this.#constants = constants;
    this.#varying = varying;
    this.#sources = sourcesOf(parts.constant);
    this.#thunks = parts.varying.flatMap(({ paramsAtCall }, i) =>
      paramsAtCall ? [{ i, params: paramsAtCall }] : [],
    );
    const written = parts.varying.flatMap(({ writes }) => writes.flatMap(storagesOf));
    this.#replaced = [...new Set(written)].filter((storage) => !storage.isPlanned);
  }

  /** @param progress called with the number of compiled pipelines and the total */
  static async make(recording: Recording, progress?: (done: number, of: number) => void): Promise<Plan> {
    const { launcher } = recording.device;
    // Memory that moves meanwhile: a bind group of a buffer that was destroyed is an error in wgpu.
    const wholes = recording.recorder.held.flatMap(({ whole }) => whole?.share() ?? []);
    let buffers: readonly GPUBuffer[] = [];
    let preparing: Promise<Program>[] = [];
    try {
      const parts = partsOf(recording);
      buffers = parts.buffers;
      const planned = (launch: Recorded): Planned => {
        const { kernel, params, holes, epilogue, variant, reads, writes } = launch;
        const bound = [...reads, ...writes].map((one) => parts.find(one));
        return { kernel, params, buffers: bound, holes, epilogue, variant };
      };
      let done = 0;
      const of = { constant: 0, varying: 0 };
      const both = (part: keyof typeof of) => (now: number, count: number) => {
        of[part] = count;
        if (now > 0) progress?.(++done, of.constant + of.varying);
      };
      preparing = [
        launcher.prepare(parts.constant.map(planned), both("constant")),
        launcher.prepare(parts.varying.map(planned), both("varying")),
      ];
      const [constants, varying] = await recording.device.rest(Promise.all(preparing));
      return new Plan(recording, parts, constants!, varying!);
    } catch (error) {
      // One of both may be there all the same, or be there later, and uses the buffers.
      const programs = await Promise.allSettled(preparing);
      for (const made of programs) if (made.status === "fulfilled") made.value.destroy();
      release(recording, buffers);
      throw error;
    } finally {
      for (const whole of wholes) whole.release();
    }
  }

  /** Run the plan once. → new tensors */
  run(args: readonly Tensor[]): Tensor[] {
    const { recorder, args: expected, results } = this.#recording;
    const { launcher } = this.#device;
    // The recording has run the host's code for the first call, unless that was undone.
    if (!recorder.isAhead) {
      for (const effect of recorder.effects) effect();
      for (const { i, params } of this.#thunks) this.#varying.setParams(i, params());
    }
    recorder.isAhead = false;
    this.#computeConstants();
    const before = args.flatMap((x, i) => this.#copy(x.storage, expected[i]!.storage));
    const made = results.map(({ shape, dtype }) => empty(shape, dtype, this.#device));
    const after = made.flatMap((y, i) => this.#copy(results[i]!.storage, y.storage));
    launcher.replay(this.#varying, before, after);
    for (const storage of this.#replaced) storage.version++;
    return made;
  }

  /** Compute the results that depend on weights alone, if the weights have changed. */
  #computeConstants(): void {
    const versions = this.#sources.map(({ version }) => version);
    if (this.#versions && versions.every((version, i) => version === this.#versions![i])) return;
    this.#device.launcher.replay(this.#constants);
    this.#versions = versions;
  }

  /** Run the plan once and time each launch; the device needs timestamps. */
  async profile(args: readonly Tensor[]): Promise<Timing[]> {
    const { launcher } = this.#device;
    const before = launcher.onTimings;
    const count = this.#varying.launches.length;
    const timings: Timing[] = [];
    this.#computeConstants();
    try {
      launcher.startTiming();
      const all = new Promise<void>((resolve) => {
        launcher.onTimings = (some) => {
          timings.push(...some);
          if (timings.length >= count) resolve();
        };
        if (count === 0) resolve();
      });
      for (const y of this.run(args)) y.dispose();
      await this.#device.synchronize();
      await all;
    } finally {
      this.#recording.recorder.undo(); // of a call that could not be timed, and did not run
      launcher.stopTiming();
      launcher.onTimings = before;
    }
    return perLaunch(timings);
  }

  /** Free its memory. */
  dispose(): void {
    this.#constants.destroy();
    this.#varying.destroy();
    release(this.#recording, this.#buffers);
  }

  #copy(from: Storage, to: Storage): Copy[] {
    const source = this.#find(partOf(from));
    const target = this.#find(partOf(to));
    return source && target && from.bytes > 0
      ? [{ from: source, to: target, bytes: Math.ceil(from.bytes / 4) * 4 }]
      : [];
  }
}

function release({ recorder, device, args, results }: Recording, buffers: readonly GPUBuffer[]): void {
  for (const x of [...args, ...results]) x.dispose();
  recorder.release();
  for (const buffer of buffers) device.release(buffer);
}

interface Parts {
  readonly constant: readonly Merged[];
  readonly varying: readonly Merged[];
  readonly buffers: readonly GPUBuffer[];
  /** Without scratch memory. */
  readonly numbers: Omit<PlanSummary, "toString">;
  find(bound: Pick<TensorBinding, "storage" | "at">): Placed;
}

/** Launches of a recorded function after all passes: those that run only when weights change, and those of each call. */
export function reduced({ recorder, args, results }: Recording): Reduced {
  const kept = new Set(results.map(({ storage }) => storage.root));
  const needed = dropUnread(recorder.launches, kept);
  const made = divide(needed).constant.flatMap(({ writes }) => writes.map(({ storage }) => storage));
  const known = new Set([...unchanged(needed), ...made]);
  const folded = dropUnread(foldNormalization(needed, kept, known), kept);
  const passed = recorder.pass?.(folded) ?? folded;
  const { constant, varying } = divide(mergeElementwise(passed, kept));
  const fixed = new Set([...kept, ...args.map(({ storage }) => storage)]);
  const { launches, aliases } = recorder.writeAdjacent?.<Merged>(varying, fixed) ?? { launches: varying };
  return { constant, varying: launches, aliases: aliases ?? new Map() };
}

interface Reduced {
  readonly constant: readonly Merged[];
  readonly varying: readonly Merged[];
  /** Tensors that are parts of others. */
  readonly aliases: Adjacent<Merged>["aliases"];
}

/** The storage to bind for a tensor, with the part of it. */
const partOf = ({ root, isPlanned, offset, size = 0 }: Storage): Pick<TensorBinding, "storage" | "at"> =>
  isPlanned && size > 0 ? { storage: root, at: { offset, bytes: size } } : { storage: root };

/** Everything that can be decided before pipelines are compiled. */
function partsOf(recording: Recording): Parts {
  const { recorder, device, args, results } = recording;
  const given = new Set(args.map(({ storage }) => storage));
  const kept = new Set(results.map(({ storage }) => storage.root));
  const { constant, varying, aliases } = reduced(recording);
  const launches: readonly Merged[] = [...constant, ...varying];
  const known = new Set(constant.flatMap(({ writes }) => writes.map(({ storage }) => storage)));
  const lasting = new Set(
    [...known].filter(
      (storage) => kept.has(storage) || varying.some(({ reads }) => reads.some((x) => x.storage === storage)),
    ),
  );
  const { minStorageBufferOffsetAlignment, maxBufferSize } = device.gpu.limits;
  const limits = { alignment: Math.max(256, minStorageBufferOffsetAlignment), largest: maxBufferSize };
  const first = planMemory(constant, { given: new Set(), kept: lasting, ...limits });
  const second = planMemory(varying, { given, kept, elsewhere: known, aliases, ...limits });
  const buffersOf = (sizes: readonly number[]) => sizes.map((bytes) => device.reserve(bytes));
  const memory = [first, second].map(({ places, buffers }) => ({ places, buffers: buffersOf(buffers) }));
  return {
    ...{ constant, varying },
    buffers: memory.flatMap(({ buffers }) => buffers),
    find({ storage, at = { offset: 0, bytes: 0 } }) {
      for (const { places, buffers } of memory) {
        const place = places.get(storage);
        if (!place) continue;
        return {
          buffer: buffers[place.buffer]!,
          offset: place.offset + at.offset,
          size: at.bytes || place.bytes,
        };
      }
      const { buffer, offset, size } = storage;
      return size === undefined ? { buffer } : { buffer, offset, size };
    },
    numbers: {
      recorded: recorder.launches.length,
      launches: varying.length,
      constant: constant.length,
      merged: launches.reduce((sum, { mergedCount = 0 }) => sum + mergedCount, 0),
      bytes: total(second.buffers),
      bytesWithoutReuse: bytesOfAll(recorder.launches),
      constantBytes: total(first.buffers),
      steps: varying.map(({ kernel, mergedCount = 0 }: Merged) => ({
        kernel: kernel.name,
        merged: mergedCount,
      })),
    },
  };
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

/** Bytes of all intermediate tensors; a packed tensor has its parts' memory. */
function bytesOfAll(launches: readonly Recorded[]): number {
  const made = new Set(launches.flatMap(({ writes }) => writes.map(({ storage }) => storage)));
  for (const { whole } of made) if (whole) made.delete(whole);
  return total([...made].map((storage) => (storage.isPlanned ? storage.bytes : 0)));
}

/** Pre-existing storages that launches read. */
function sourcesOf(launches: readonly Recorded[]): Storage[] {
  const read = launches.flatMap(({ reads }) => reads.flatMap(storagesOf));
  return [...new Set(read)].filter((storage) => !storage.isPlanned);
}

function summarize(numbers: Omit<PlanSummary, "toString">): PlanSummary {
  const { recorded, launches, constant, merged, bytes, bytesWithoutReuse, constantBytes } = numbers;
  const mebibytes = (count: number) => (count / 2 ** 20).toFixed(1);
  return {
    ...numbers,
    toString: () =>
      `${launches} launches a call of ${recorded} recorded: ${merged} merged into others, ${constant} only when weights change; ${mebibytes(bytes)} MiB in place of ${mebibytes(bytesWithoutReuse)}, and ${mebibytes(constantBytes)} that last`,
  };
}
