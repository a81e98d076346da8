import { Recorder, recording } from "../core/recorder.ts";
import { scope } from "../core/scope.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { kindOf, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Recording } from "./plan.ts";

/** One call of a function, recorded, and how its results are arranged. */
export interface RecordedCall<R> {
  readonly recording: Recording;
  arrange(made: readonly Tensor[]): R;
}

/**
 * Call a function once for arguments of these shapes, and write down what it launches in place of launching it.
 *
 * @param op who complains
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
  const result = recording(recorder, () => scope(() => f(...(placeholders as unknown as A))));
  const returned: Tensor[] = [];
  const arrange = arrangement(op, result, returned);
  const results = returned.map((y) => unowned(y.detach()));
  const isGiven = ({ storage }: Tensor) => placeholders.some((x) => x.storage === storage);
  for (const y of new Set(returned)) if (y.storage.isPlanned && !isGiven(y)) y.dispose();
  for (const { storage } of results) recorder.hold(storage);
  const kept = new Set(results.map(({ storage }) => storage));
  const made = recorder.launches.flatMap(({ writes }) => writes.filter(({ allocated }) => allocated));
  const left = made.filter(({ storage }) => storage.isUsed && !kept.has(storage));
  if (left.length > 0) {
    throw new Error(
      `${op}: the function leaves ${left.length} tensors behind that it does not return, the first of ${left[0]!.size} elements: gradients that optimizer.zeroGrad() would clear at its end, or something that was kept.`,
    );
  }
  const [gone] = recorder.disposed;
  if (gone) {
    throw new Error(
      `${op}: the function gives back memory that was there before it, ${gone.bytes} bytes, and could do so only once: gradients of a step before, which optimizer.zeroGrad() clears, or a tensor that it disposes.`,
    );
  }
  const device = placeholders[0]?.device ?? recorder.held[0]?.device ?? defaultDevice();
  const other = [...placeholders, ...recorder.held].find((x) => x.device !== device)?.device;
  if (other) throw new ShapeError(`${op}: tensors of two devices, ${device.name} and ${other.name}.`);
  return {
    recording: { recorder, device, args: placeholders, results },
    arrange: arrange as RecordedCall<R>["arrange"],
  };
}

/** A tensor like `x`, without memory. */
function placeholderOf({ shape, dtype, requiresGrad, storage, device }: Tensor): Tensor {
  const made = new Tensor(shape, dtype, new Storage(device, storage.bytes, "an argument", true));
  made.requiresGrad = requiresGrad;
  return unowned(made);
}

/** Outside of any scope. */
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
