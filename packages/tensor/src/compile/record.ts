import type { DType } from "../core/dtype.ts";
import { copied } from "../core/map.ts";
import { type Recorded, Recorder, recording, type TensorBinding } from "../core/recorder.ts";
import { scope } from "../core/scope.ts";
import { Storage } from "../core/storage.ts";
import { empty, Tensor } from "../core/tensor.ts";
import { kindOf, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import type { Recording } from "./plan.ts";

/** One recorded call of a function, and the structure of its results. */
export interface RecordedCall<R> {
  readonly recording: Recording;
  arrange(made: readonly Tensor[]): R;
}

/**
 * Call a function once for arguments of these shapes, and write down what it launches in place of launching it.
 *
 * @param op name for errors
 */
export function record<A extends readonly Tensor[], R>(
  op: string,
  f: (...args: A) => R,
  args: A,
): RecordedCall<R> {
  const recorder = new Recorder();
  const placeholders = args.map(placeholderOf);
  try {
    return recorded(op, f, recorder, placeholders);
  } catch (error) {
    for (const x of placeholders) x.dispose();
    recorder.undo();
    recorder.release();
    throw error;
  }
}

function recorded<A extends readonly Tensor[], R>(
  op: string,
  f: (...args: A) => R,
  recorder: Recorder,
  placeholders: readonly Tensor[],
): RecordedCall<R> {
  const returned: Tensor[] = [];
  const { results, arrange } = scope(() => {
    // Results of the function belong to this scope, which ends with it.
    const result = recording(recorder, () => scope(() => f(...(placeholders as unknown as A))));
    const arrange = arrangement(op, result, returned);
    const results = returned.map((y) => unowned(y.detach()));
    return { results, arrange: arrange as RecordedCall<R>["arrange"] };
  });
  const isGiven = ({ storage }: Tensor) => placeholders.some((x) => x.storage === storage);
  for (const y of returned) if (!y.isDisposed && y.storage.isPlanned && !isGiven(y)) y.dispose();
  for (const { storage } of results) recorder.hold(storage);
  refuseLeftovers(op, recorder, results);
  for (const { storage, launch } of changedOwn(recorder, results)) resetFirst(recorder, storage, launch);
  const device = placeholders[0]?.device ?? recorder.held[0]?.device ?? defaultDevice();
  const other = [...placeholders, ...recorder.held].find((x) => x.device !== device);
  if (other) throw twoDevices(op, device, other.device);
  return { recording: { recorder, device, args: placeholders, results }, arrange };
}

/** @throws Error if the function leaks tensors, or frees pre-existing storage. */
function refuseLeftovers(op: string, recorder: Recorder, results: readonly Tensor[]): void {
  const kept = new Set(results.flatMap(({ storage }) => [storage, storage.root]));
  const made = recorder.launches.flatMap(({ writes }) => writes.filter(({ allocated }) => allocated));
  const left = made.filter(({ storage }) => storage.users > 0 && !kept.has(storage));
  if (left.length > 0) {
    throw new Error(
      `${op}: the function leaves ${left.length} tensors behind that it does not return, the first of ${left[0]!.size} elements: gradients that optimizer.zeroGrad() would clear at its end, or something that was kept.`,
    );
  }
  const [gone] = recorder.disposed;
  if (gone) {
    throw new Error(
      `${op}: the function frees pre-existing storage, ${gone.bytes} bytes, which only one call could do: gradients of an earlier step, which optimizer.zeroGrad() clears, or a tensor that it disposes.`,
    );
  }
}

/**
 * Tensors that the function fills with numbers of the host, changes in place, and gives up at its end: op by op,
 * each call has new ones. A tensor that outlives the function is state, which later calls go on with.
 */
function changedOwn(
  { own, launches }: Recorder,
  results: readonly Tensor[],
): { storage: Storage; launch: TensorBinding }[] {
  return own.flatMap((storage) => {
    const isChanged = ({ writes }: Recorded) => writes.find((y) => y.storage === storage && !y.allocated);
    const launch = launches.map(isChanged).find((write) => write !== undefined);
    const held = 1 + results.filter((y) => y.storage === storage).length;
    return launch && storage.users === held ? [{ storage, launch }] : [];
  });
}

/** Begin each call with the numbers that the memory holds now. */
function resetFirst(recorder: Recorder, storage: Storage, { size, dtype }: TensorBinding): void {
  recording(recorder, () =>
    scope(() => {
      const pristine = empty([size], dtype as DType, storage.device, "pooled");
      copyBytes(storage, pristine.storage);
      copied(pristine, new Tensor([size], dtype as DType, storage.share()));
    }),
  );
  recorder.launches.unshift(recorder.launches.pop()!);
}

/** Copy all bytes of a tensor to another one's memory. */
export function copyBytes({ device, buffer, offset, bytes }: Storage, to: Storage): void {
  device.launcher.copy(buffer, offset, to.buffer, 0, Math.ceil(bytes / 4) * 4);
}

/** A tensor like `x`, without memory. */
function placeholderOf({ shape, dtype, requiresGrad, storage, device }: Tensor): Tensor {
  const made = new Tensor(shape, dtype, new Storage(device, storage.bytes, "an argument", "planned"));
  made.requiresGrad = requiresGrad;
  return unowned(made);
}

/** Take a tensor out of every scope. */
export function unowned(x: Tensor): Tensor {
  x.moveTo(undefined);
  return x;
}

/** Collect the tensors of a result, in arrays and plain objects, and say how to put others in their places. */
function arrangement(op: string, result: unknown, into: Tensor[]): (made: readonly Tensor[]) => unknown {
  if (result instanceof Tensor) {
    const i = into.push(result) - 1;
    return (made) => made[i];
  }
  if (Array.isArray(result)) {
    const parts = result.map((part) => arrangement(op, part, into));
    return (made) => parts.map((part) => part(made));
  }
  if (typeof result === "object" && result !== null) {
    if (Object.getPrototypeOf(result) !== Object.prototype) {
      throw new TypeError(
        `${op}: the function returns ${kindOf(result)}; return tensors, in arrays or plain objects.`,
      );
    }
    const parts = Object.entries(result).map(([name, part]) => [name, arrangement(op, part, into)] as const);
    return (made) => Object.fromEntries(parts.map(([name, part]) => [name, part(made)]));
  }
  return () => result;
}

/** Error for tensors of one function on two devices. */
export function twoDevices(op: string, a: Device, b: Device, which = "a tensor"): ShapeError {
  const names = a.name === b.name ? `${a.name} opened twice` : `${a.name} and ${b.name}`;
  return new ShapeError(
    `${op}: tensors of two devices, ${names}: ${which} is not on the device of the others. Make it there: tensor(await x.data(), x.shape, { device }).`,
  );
}
