import type { Holes, Interface, Kernel, ParamValues } from "@shadegrad/kernels-wgsl";
import { type Device, defaultDevice } from "./device.ts";
import { ShapeError } from "./errors.ts";
import { type DType, empty, type Shape, Tensor } from "./tensor.ts";

/** A new tensor of a shape, or of another type as well, or a tensor to be written in place. */
export type Write = Shape | { shape: Shape; dtype: DType } | Tensor;

export interface RunOptions {
  holes?: Holes;
  /** The kernel's variant, by name, in place of its own choice. */
  variant?: string;
  /** Where nothing is read: the device to write on. */
  device?: Device | undefined;
}

/**
 * Launch a kernel on tensors: the only way that any op reaches the GPU.
 *
 * A new output has the type of the first float that is read, or f32; with f16 the kernel's hole
 * `Elem` follows. Nothing is waited for.
 *
 * @throws ShapeError if tensors are of another device or type than the kernel can take.
 */
export function run<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  reads: readonly Tensor[],
  writes: Shape,
  options?: RunOptions,
): Tensor;
export function run<P extends ParamValues, K extends string>(
  kernel: Kernel<P>,
  params: P,
  reads: readonly Tensor[],
  writes: Readonly<Record<K, Write>>,
  options?: RunOptions,
): Record<K, Tensor>;
export function run<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  reads: readonly Tensor[],
  writes: Shape | Readonly<Record<string, Write>>,
  { holes = {}, variant, device = deviceOf(kernel.name, reads, writes) }: RunOptions = {},
): Tensor | Record<string, Tensor> {
  const single = isShape(writes);
  const named: Readonly<Record<string, Write>> = single ? { [kernel.writes[0]!]: writes } : writes;
  const float = reads.find(({ dtype }) => dtype === "f32" || dtype === "f16")?.dtype ?? "f32";
  const outputs: Record<string, Tensor> = {};
  for (const name of kernel.writes) {
    const write = named[name];
    if (write === undefined) throw new ShapeError(`${kernel.name}: nothing to write ${name} to`);
    if (write instanceof Tensor) {
      outputs[name] = write;
      write.storage.version++;
    } else if (isShape(write)) outputs[name] = empty(write, float, device);
    else outputs[name] = empty(write.shape, write.dtype, device);
  }
  const tensors = [...reads, ...Object.values(outputs)];
  const filled = withElement(kernel, tensors, holes);
  const buffers = tensors.map(({ storage }) => storage.buffer);
  device.launcher.launch(
    kernel,
    params,
    buffers,
    variant === undefined ? { holes: filled } : { holes: filled, variant },
  );
  return single ? outputs[kernel.writes[0]!]! : outputs;
}

const isShape = (write: Write | Readonly<Record<string, Write>>): write is Shape => Array.isArray(write);

function deviceOf(
  name: string,
  reads: readonly Tensor[],
  writes: Shape | Readonly<Record<string, Write>>,
): Device {
  const given = isShape(writes) ? [] : Object.values(writes).filter((write) => write instanceof Tensor);
  const [first, ...others] = [...reads, ...given].map(({ device }) => device);
  const other = others.find((device) => device !== first);
  if (other && first) {
    throw new ShapeError(
      `${name}: tensors of two devices, ${first.name} and ${other.name}${first.name === other.name ? " opened twice" : ""}.`,
    );
  }
  return first ?? defaultDevice();
}

/**
 * Where the bindings declared as `array<Elem>` are f16, fill that hole; all of them must agree, and
 * the others must hold what the shader declares.
 */
function withElement(kernel: Bound, tensors: readonly Tensor[], holes: Holes): Holes {
  let elem: DType | undefined;
  elementsOf(kernel).forEach((element, i) => {
    const { dtype, shape } = tensors[i]!;
    if (element === undefined) return;
    const expected = element === "Elem" ? (elem ??= dtype) : element;
    if (dtype === expected || (isInteger(dtype) && isInteger(expected))) return;
    const name = [...kernel.reads, ...kernel.writes][i];
    throw new ShapeError(
      `${kernel.name}: ${name} is ${dtype} but has to be ${expected} here. It is [${shape}]; cast(${name}, "${expected}") converts.`,
    );
  });
  return elem === "f16" ? { ...holes, Elem: "f16" } : holes;
}

type Bound = Interface & { readonly variants: readonly [{ readonly source: string }, ...unknown[]] };

const isInteger = (type: string): boolean => type === "i32" || type === "u32";

const known = new WeakMap<object, readonly (string | undefined)[]>();

/** What each binding holds: `Elem`, a type, or undefined where another hole says; read off the shader. */
function elementsOf(kernel: Bound): readonly (string | undefined)[] {
  let elements = known.get(kernel);
  if (!elements) {
    const { source } = kernel.variants[0];
    const hasElem = /^alias Elem = f32;/m.test(source);
    elements = [...kernel.reads, ...kernel.writes].map((name) => {
      const type = new RegExp(`var<storage, \\w+> ${name}: array<(?:vec[24]<)?(\\w+)`).exec(source)?.[1];
      if (type === "Elem" || type === "Elem4") return hasElem ? "Elem" : undefined;
      const scalar = /^(?:vec[24])?([fiu])(?:32)?$/.exec(type ?? "")?.[1];
      return scalar && `${scalar}32`;
    });
    known.set(kernel, elements);
  }
  return elements;
}
