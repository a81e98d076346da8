import {
  BIAS,
  type Holes,
  type Interface,
  type Kernel,
  type OperandKind,
  type ParamValues,
} from "@shadegrad/kernels-wgsl";
import { DeviceError, ShapeError } from "../errors.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { type DType, isInteger } from "./dtype.ts";
import { observer } from "./observe.ts";
import { recorder, type TensorBinding } from "./recorder.ts";
import type { Shape } from "./shape.ts";
import type { Storage } from "./storage.ts";
import { empty, Tensor } from "./tensor.ts";

/** A new tensor of a shape, or of another type as well, or a tensor to be written in place. */
export type Write = Shape | { shape: Shape; dtype: DType } | Tensor;

export interface RunOptions {
  /** Name for errors; the kernel's if absent. */
  op?: string | undefined;
  holes?: Holes;
  /** Work on each value before it is stored. */
  epilogue?: TensorEpilogue | undefined;
  /** The kernel's variant, by name, in place of its own choice. */
  variant?: string;
  /** Device of the outputs of a launch that reads nothing. */
  device?: Device | undefined;
}

/** An epilogue and the tensors that it reads, `e0` and `e1` in its expression. */
export interface TensorEpilogue {
  readonly expression: string;
  readonly operands: readonly { readonly kind: OperandKind; readonly tensor: Tensor }[];
}

/** Adds a bias, one value for each channel; undefined if there is none. */
export const biased = (bias: Tensor | undefined): TensorEpilogue | undefined =>
  bias && { expression: BIAS, operands: [{ kind: "channel", tensor: bias }] };

/** Parameters, or a thunk that gives those of each call of a compiled function. */
export type ParamsOrThunk<P> = P | (() => P);

/**
 * Launch a kernel on tensors: the only way that any op reaches the GPU. While `compile` records, the
 * launch is written down.
 *
 * A new output has the type of the first float that is read, or f32; with f16 the kernel's hole
 * `Elem` follows. Nothing is waited for.
 *
 * @throws ShapeError if tensors are of another device or type than the kernel can take; DeviceError if the result is f16
 * and the device has no shader-f16.
 */
export function run<P extends ParamValues>(
  kernel: Kernel<P>,
  given: ParamsOrThunk<P>,
  reads: readonly Tensor[],
  writes: Shape,
  options?: RunOptions,
): Tensor;
export function run<P extends ParamValues, K extends string>(
  kernel: Kernel<P>,
  given: ParamsOrThunk<P>,
  reads: readonly Tensor[],
  writes: Readonly<Record<K, Write>>,
  options?: RunOptions,
): Record<K, Tensor>;
export function run<P extends ParamValues>(
  kernel: Kernel<P>,
  given: ParamsOrThunk<P>,
  inputs: readonly Tensor[],
  writes: Shape | Readonly<Record<string, Write>>,
  { op = kernel.name, holes = {}, epilogue: after, variant, device: where }: RunOptions = {},
): Tensor | Record<string, Tensor> {
  const single = isShape(writes);
  const reads = after ? [...inputs, ...after.operands.map(({ tensor }) => tensor)] : inputs;
  const float = reads.find(({ dtype }) => dtype === "f32" || dtype === "f16")?.dtype ?? "f32";
  const planned = kernel.writes.map((name, i): TensorOrSpec => {
    const write = single ? (i === 0 ? writes : undefined) : writes[name];
    if (write === undefined) throw new ShapeError(`${kernel.name}: nothing to write ${name} to`);
    return isShape(write) ? { shape: write, dtype: float } : write;
  });
  // Every check is before the first allocation, and before contents count as changed.
  const operands: readonly TensorOrSpec[] = [...reads, ...planned];
  const fail = (what: string) => {
    const names = [...kernel.reads.slice(0, reads.length), ...kernel.writes];
    return new ShapeError(`${op}: ${what}. ${shapesOf(names, operands)}.`);
  };
  const device = where ?? deviceOf(operands, fail);
  if (planned.some(({ dtype }) => dtype === "f16")) checkHalves(op, device);
  const epilogue = after && {
    expression: after.expression,
    operands: after.operands.map(({ kind, tensor }) => ({ kind, type: floatOf(tensor, kind, fail) })),
  };
  const filled = withElement(kernel, inputs, planned, holes, fail);
  const written = planned.map((write) => (write instanceof Tensor ? write : allocated(op, write, device)));
  const params = typeof given === "function" ? given() : given;
  const into = recorder();
  if (into) {
    for (const { storage } of [...reads, ...written]) into.hold(storage);
    into.launches.push({
      kernel: kernel as unknown as Kernel,
      params,
      paramsAtCall: typeof given === "function" ? given : undefined,
      holes: filled,
      epilogue,
      variant,
      reads: reads.map(bound),
      writes: written.map((y, i) => ({ ...bound(y), allocated: y !== planned[i] })),
    });
  } else {
    const buffers: Storage[] = [];
    for (const x of reads) buffers.push(x.storage);
    for (const y of written) buffers.push(y.storage);
    device.launcher.launch(kernel, params, buffers, { holes: filled, epilogue, variant });
  }
  for (const write of planned) if (write instanceof Tensor) write.storage.touch(!into);
  const watching = observer();
  if (watching) {
    const replaced = planned.every((write) => write instanceof Tensor);
    watching.ran(kernel.name, reads, written, replaced);
  }
  if (single) return written[0]!;
  const made: Record<string, Tensor> = {};
  for (let i = 0; i < written.length; i++) made[kernel.writes[i]!] = written[i]!;
  return made;
}

/** @throws DeviceError with the op if the device cannot bind so much. */
function allocated(op: string, { shape, dtype }: { shape: Shape; dtype: DType }, device: Device): Tensor {
  try {
    return empty(shape, dtype, device);
  } catch (error) {
    (error as Error).message = `${op}: ${(error as Error).message}`;
    throw error;
  }
}

/** The type of an operand of an epilogue. */
function floatOf({ dtype }: Tensor, kind: OperandKind, fail: (what: string) => Error): "f32" | "f16" {
  if (dtype === "f32" || dtype === "f16") return dtype;
  throw fail(
    `the operand for each ${kind === "channel" ? "channel" : "element"} is ${dtype}; make it floats with cast(…, "f32")`,
  );
}

function bound({ storage, size, dtype }: Tensor): TensorBinding {
  const { root, offset } = storage;
  if (root === storage) return { storage, size, dtype };
  return { storage: root, size, dtype, at: { offset, bytes: storage.size! } };
}

/** @throws DeviceError unless the device computes with f16. */
function checkHalves(op: string, { adapter, name }: Device): void {
  if (adapter.features.has("shader-f16")) return;
  throw new DeviceError(
    `${op}: f16 needs the WebGPU feature shader-f16, which ${name} does not have here. Take f32, which every adapter has.`,
  );
}

const isShape = (write: Write | Readonly<Record<string, Write>>): write is Shape => Array.isArray(write);

/** Tensor of a binding: an existing one, or one to be made. */
type TensorOrSpec = Tensor | { readonly shape: Shape; readonly dtype: DType };

/** Names and shapes of the given tensors, each once. */
function shapesOf(names: readonly string[], operands: readonly TensorOrSpec[]): string {
  const shapes = names.flatMap((name, i) => {
    const operand = operands[i]!;
    const isNew = operand instanceof Tensor && operands.indexOf(operand) === i;
    return isNew ? [`${name} is [${operand.shape}]`] : [];
  });
  return shapes.join("; ");
}

/** @throws ShapeError if tensors are of two devices: for ops of several launches, each of which has a name of its own. */
export function checkDevices(op: string, operands: Readonly<Record<string, Tensor>>): void {
  const [names, tensors] = [Object.keys(operands), Object.values(operands)];
  deviceOf(tensors, (what) => new ShapeError(`${op}: ${what}. ${shapesOf(names, tensors)}.`));
}

function deviceOf(operands: readonly TensorOrSpec[], fail: (what: string) => Error): Device {
  let first: Device | undefined;
  for (const operand of operands) {
    if (!(operand instanceof Tensor)) continue;
    const { device } = operand;
    first ??= device;
    if (device === first) continue;
    throw fail(
      `tensors of two devices, ${first.name} and ${device.name}${first.name === device.name ? " opened twice" : ""}`,
    );
  }
  return first ?? defaultDevice();
}

/**
 * Fill the hole `Elem` if the bindings of that type are f16; all of them must agree, and every other binding must have the
 * type that the kernel or a hole declares. Operands of an epilogue do not count.
 */
function withElement(
  { types = {}, reads, writes }: Interface,
  inputs: readonly Tensor[],
  planned: readonly TensorOrSpec[],
  holes: Holes,
  fail: (what: string) => Error,
): Holes {
  let elem: string | undefined;
  for (let i = 0; i < inputs.length + planned.length; i++) {
    const isRead = i < inputs.length;
    const name = isRead ? reads[i]! : writes[i - inputs.length]!;
    const { dtype } = isRead ? inputs[i]! : planned[i - inputs.length]!;
    const type = types[name] ?? "Elem";
    const declared = typeof type === "string" ? type : String(holes[type[0]] ?? type[1]);
    if (declared === "Elem" && isInteger(dtype) && !("Elem" in holes)) {
      throw fail(`${name} is ${dtype}; make it floats with cast(${name}, "f32")`);
    }
    const expected = declared === "Elem" ? (elem ??= dtype) : declared;
    if (dtype === expected || (isInteger(dtype) && isInteger(expected))) continue;
    throw fail(`${name} is ${dtype} but has to be ${expected} here; cast(${name}, "${expected}") converts`);
  }
  return elem === "f16" ? { ...holes, Elem: "f16" } : holes;
}
