import { kindOf, ShapeError } from "../errors.ts";
import { fromFloat16Bits, toFloat16Bits } from "../formats/float16.ts";
import { debugLevel } from "../gpu/debug.ts";
import { type Device, defaultDevice } from "../gpu/device.ts";
import { format } from "./print.ts";
import { currentScope, type Scope } from "./scope.ts";
import { Storage } from "./storage.ts";

export type Shape = readonly number[];

/** `i32` and `u32` are for labels and indices; `f16` is storage, computed with in float32. */
export type DType = "f32" | "f16" | "i32" | "u32";

export type TensorData = Float32Array | Int32Array | Uint32Array;

/** Numbers nested as deep as the tensor has axes. */
export type Nested = number | readonly Nested[];

export interface TensorOptions {
  dtype?: DType;
  device?: Device;
  /** Whether `backward` shall find a gradient for it. */
  requiresGrad?: boolean;
}

/** How an op's output was made, and the step back: one thunk per input, run only if it is needed. */
export interface History {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  /** What only the gradient needs; freed with the history. */
  readonly saved: readonly Tensor[];
  /** Versions of the result's contents, then of the inputs', when the op ran. */
  readonly versions: readonly number[];
  of(dy: Tensor): readonly (() => Tensor | undefined)[];
}

/** Product of the sides: how many elements a shape has. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, side) => size * side, 1);

export const bytesOf = (dtype: DType): number => (dtype === "f16" ? 2 : 4);

/** Whether a type, of a tensor or in a shader, is one of whole numbers. */
export const isInteger = (type: string): boolean => type === "i32" || type === "u32";

// Engines without explicit resource management lack the symbol that `using` looks for.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/** A dense array of numbers on a GPU, row-major; its shape and contents do not change under its users. */
export class Tensor {
  readonly shape: Shape;
  readonly dtype: DType;
  requiresGrad = false;
  /** d(loss)/d(this), which `backward` adds to; same shape. */
  grad: Tensor | undefined;
  /** Whether `backward` shall store the gradient although this is no leaf. */
  retainsGrad = false;
  /** How it was made, while its gradient can still be asked for. */
  history: History | undefined;
  /** The op that made it, once `backward` has used up its history. */
  usedUp: string | undefined;
  /** How many times it is an input in the histories of others. */
  uses = 0;
  /** Whether only those histories still know it: it is freed with the last of them. */
  ownedByGraph = false;
  #storage: Storage | undefined;
  #scope: Scope | undefined;

  constructor(shape: Shape, dtype: DType, storage: Storage) {
    this.shape = shape;
    this.dtype = dtype;
    this.#storage = storage;
    this.#scope = currentScope();
    this.#scope?.add(this);
    unreachable.register(this, { storage, what: describe(shape, dtype) }, this);
  }

  /** @throws Error once it is disposed. */
  get storage(): Storage {
    if (!this.#storage) {
      throw new Error(
        `this tensor, ${this}, was disposed: by dispose(), or by the end of the scope that made it. Return it from the scope, or keep() it.`,
      );
    }
    return this.#storage;
  }

  get device(): Device {
    return this.storage.device;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get isDisposed(): boolean {
    return !this.#storage;
  }

  /**
   * The numbers, row-major; float16 as float32.
   *
   * @throws DeviceError if the device was lost or ran out of memory on the way.
   */
  async data(): Promise<TensorData> {
    const { device, buffer } = this.storage;
    const bytes = await device.read(buffer, this.size * bytesOf(this.dtype));
    if (this.dtype === "i32") return new Int32Array(bytes);
    if (this.dtype === "u32") return new Uint32Array(bytes);
    return this.dtype === "f16" ? fromFloat16Bits(new Uint16Array(bytes)) : new Float32Array(bytes);
  }

  /**
   * The number of a tensor that has one element.
   *
   * @throws ShapeError if it has more, or none.
   */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ShapeError(
        `item: a tensor of ${this.size} elements is not one number. It is [${this.shape}].`,
      );
    return (await this.data())[0]!;
  }

  /** The numbers in rows and columns, long axes shortened: `console.log(await x.text())`. */
  async text(): Promise<string> {
    return `${this}\n${format(await this.data(), this.shape)}`;
  }

  toString(): string {
    return `Tensor ${describe(this.shape, this.dtype)}`;
  }

  /** Node prints this, in place of the fields. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `${this}${this.requiresGrad ? " requiresGrad" : ""}${this.#storage ? "" : " disposed"}`;
  }

  /** The same numbers under another shape, or with no history: a view, which shares the memory. */
  view(shape: Shape = this.shape): Tensor {
    return new Tensor(shape, this.dtype, this.storage.share());
  }

  /** The same numbers, cut off from how they were made. */
  detach(): Tensor {
    return this.view();
  }

  /** Free the memory, unless another tensor shares it, that of the gradient, and what only a way back through it needs. */
  dispose(): void {
    // Without recursion: graphs can be deeper than the call stack.
    const pending: Tensor[] = [this];
    for (let x = pending.pop(); x; x = pending.pop()) pending.push(...x.#free());
  }

  /** Let go of how it was made; gives the inputs that nobody needs any more. */
  forget(): Tensor[] {
    const { inputs, saved } = this.history ?? { inputs: [], saved: [] };
    this.history = undefined;
    for (const tensor of saved) tensor.dispose();
    for (const x of inputs) x.uses--;
    return inputs.filter((x) => x.ownedByGraph && x.uses === 0);
  }

  #free(): Tensor[] {
    const storage = this.#storage;
    if (!storage) return [];
    this.#storage = undefined;
    this.moveTo(undefined);
    unreachable.unregister(this);
    storage.release();
    this.grad?.dispose();
    this.grad = undefined;
    return this.forget();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Let this scope free it, in place of the one that would have. */
  moveTo(scope: Scope | undefined): void {
    this.#scope?.delete(this);
    this.#scope = scope;
    scope?.add(this);
  }
}

const describe = (shape: Shape, dtype: DType): string => `${dtype} [${shape.join(", ")}]`;

// The backstop for tensors that nobody disposed: the collector found them, some time later.
const unreachable = new FinalizationRegistry<{ storage: Storage; what: string }>(({ storage, what }) => {
  if (debugLevel >= 1)
    console.warn(`shadegrad: a tensor ${what} was never disposed; make it in a scope, or with \`using\``);
  storage.release();
});

/**
 * A tensor of the given numbers.
 *
 * `tensor([[1, 2], [3, 4]])` takes its shape from the nesting, `tensor(array, [2, 2])` from the
 * argument; options follow either. Int32Array gives i32, Uint32Array u32, everything else f32 unless
 * `dtype` says otherwise.
 *
 * @throws ShapeError if the numbers are ragged, or not as many as the shape holds.
 */
export function tensor(data: Nested | ArrayLike<number>, options?: TensorOptions): Tensor;
export function tensor(
  data: Nested | ArrayLike<number>,
  shape: Shape | undefined,
  options?: TensorOptions,
): Tensor;
export function tensor(
  data: Nested | ArrayLike<number>,
  second?: Shape | TensorOptions,
  third?: TensorOptions,
): Tensor {
  const [shape, options = {}] = second && isOptions(second) ? [undefined, second] : [second, third];
  const { dtype, device = defaultDevice(), requiresGrad = false } = options;
  const nested = typeof data === "number" || Array.isArray(data) ? flatten(data as Nested) : undefined;
  const values = nested ? nested.values : (data as ArrayLike<number>);
  const itsShape = shape ? checkShape("tensor", shape) : (nested?.shape ?? [values.length]);
  const size = sizeOf(itsShape);
  if (values.length !== size) {
    throw new ShapeError(
      `tensor: ${values.length} numbers for ${size} elements. The shape is [${itsShape}].`,
    );
  }
  const type = dtype ?? (data instanceof Int32Array ? "i32" : data instanceof Uint32Array ? "u32" : "f32");
  // Numbers of the host are there before a compiled function runs, and are the same at each call.
  const made = empty(itsShape, type, device, false);
  if (size > 0) device.write(made.storage.buffer, encode(values, type));
  made.requiresGrad = checkGradient("tensor", type, requiresGrad);
  return made;
}

const isOptions = (given: Shape | TensorOptions): given is TensorOptions =>
  typeof given === "object" && !("length" in given);

/** A tensor of that shape, with whatever the memory holds: for those who write all of it. */
export function empty(shape: Shape, dtype: DType, device: Device, planned?: boolean): Tensor {
  const bytes = sizeOf(shape) * bytesOf(dtype);
  return new Tensor(shape, dtype, new Storage(device, bytes, `a tensor ${describe(shape, dtype)}`, planned));
}

/** @throws ShapeError unless every side is a whole number ≥ 0; TypeError if it is no array. */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape)) {
    throw new TypeError(`${op}: a shape is an array such as [2, 3], not ${kindOf(shape)}.`);
  }
  for (const side of shape) {
    if (!Number.isInteger(side) || side < 0) {
      throw new ShapeError(`${op}: a side of ${side} is not a whole number ≥ 0. The shape is [${shape}].`);
    }
  }
  return [...shape];
}

/** @throws ShapeError if a gradient is asked for a tensor of whole numbers. */
export function checkGradient(op: string, dtype: DType, requiresGrad: boolean): boolean {
  if (requiresGrad && isInteger(dtype)) {
    throw new ShapeError(`${op}: ${dtype} has no gradient; requiresGrad needs f32 or f16.`);
  }
  return requiresGrad;
}

/** Numbers as the GPU stores them. */
export function encode(values: ArrayLike<number>, dtype: DType): ArrayBufferView {
  if (dtype === "i32") return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === "u32") return values instanceof Uint32Array ? values : Uint32Array.from(values);
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  return dtype === "f16" ? toFloat16Bits(floats) : floats;
}

function flatten(data: Nested): { values: number[]; shape: number[] } {
  const shape: number[] = [];
  for (let level: Nested | undefined = data; Array.isArray(level); level = level[0]) shape.push(level.length);
  const values: number[] = [];
  const visit = (part: Nested, axis: number): void => {
    if (typeof part === "number") {
      if (axis !== shape.length) throw ragged(shape, axis, "a number");
      values.push(part);
      return;
    }
    if (!Array.isArray(part))
      throw new TypeError(`tensor: ${typeof part} where a number or an array was expected`);
    if (part.length !== shape[axis]) throw ragged(shape, axis, `${part.length} elements`);
    for (const inner of part) visit(inner, axis + 1);
  };
  visit(data, 0);
  return { values, shape };
}

function ragged(shape: Shape, axis: number, found: string): ShapeError {
  return new ShapeError(
    `tensor: the nesting is ragged: ${found} at depth ${axis}, where the first has ${shape[axis] ?? "no"} elements.`,
  );
}
