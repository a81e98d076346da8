import { checkOptions, kindOf, ShapeError } from "../errors.ts";
import { debugLevel } from "../gpu/debug.ts";
import { defaultDevice } from "../gpu/default-device.ts";
import type { Device } from "../gpu/device.ts";
import { bytesOf, checkType, type DType } from "./dtype.ts";
import { decode, dtypeOf, encode, flatten, type Nested, type Numbers, type TensorData } from "./numbers.ts";
import { recorder } from "./recorder.ts";
import { Owned, type Scope } from "./scope.ts";
import { checkShape, type Shape, sizeOf } from "./shape.ts";
import { type Memory, Storage } from "./storage.ts";

export interface TensorOptions {
  dtype?: DType;
  device?: Device;
  /** True if `backward` shall find a gradient for it. */
  requiresGrad?: boolean;
}

/** History of an op's output, and the step back: one thunk per input, run only if it is needed. */
export interface History {
  readonly op: string;
  readonly inputs: readonly Tensor[];
  /** Tensors that only the gradient needs; freed with the history. */
  readonly saved: readonly Tensor[];
  /** Versions of the result's contents, then of the inputs', when the op ran. */
  readonly versions: readonly number[];
  of(dy: Tensor): readonly (() => Tensor | undefined)[];
}

// Engines without explicit resource management lack the symbol that `using` looks for.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/** A dense array of numbers on a GPU, row-major; its shape and contents do not change under its users. */
export class Tensor extends Owned {
  readonly shape: Shape;
  readonly dtype: DType;
  requiresGrad = false;
  /** d(loss)/d(this), which `backward` adds to; same shape. */
  grad: Tensor | undefined;
  /** True if `backward` shall store the gradient although this is no leaf. */
  retainsGrad = false;
  /** History, until `backward` has used it. */
  history: History | undefined;
  /** The op that made it, once `backward` has used up its history. */
  usedUp: string | undefined;
  #storage: Storage | undefined;
  #isWatched = false;

  constructor(shape: Shape, dtype: DType, storage: Storage) {
    super();
    this.shape = shape;
    this.dtype = dtype;
    this.#storage = storage;
    this.#watch();
  }

  override moveTo(scope: Scope | undefined): void {
    super.moveTo(scope);
    this.#watch();
  }

  /** Have the collector tell that it was forgotten: only outside of all scopes, which hold what they free, can it be. */
  #watch(): void {
    const storage = this.#storage;
    if (!storage || this.#isWatched || this.isInScope) return;
    this.#isWatched = true;
    const { shape, dtype } = this;
    unreachable.register(this, { storage, shape, dtype }, this);
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
    return decode(await this.device.read(this.storage, this.size * bytesOf(this.dtype)), this.dtype);
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
    const [{ format }, values] = await Promise.all([import("./print.ts"), this.data()]);
    return `${this}\n${format(values, this.shape)}`;
  }

  override toString(): string {
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

  override get needs() {
    return this.history ?? NOTHING;
  }

  /** Free the memory, unless another tensor shares it, the gradient, and all that only `backward` through it needs. */
  override dispose(): void {
    // Without recursion: graphs can be deeper than the call stack.
    const pending: Tensor[] = [this];
    for (let x = pending.pop(); x; x = pending.pop()) pending.push(...x.#free());
  }

  /** Drop the history. → inputs that nothing else needs */
  forget(): Tensor[] {
    const { inputs, saved } = this.history ?? NOTHING;
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
    if (this.#isWatched) unreachable.unregister(this);
    storage.release();
    this.grad?.dispose();
    this.grad = undefined;
    return this.forget();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const NOTHING = { inputs: [], saved: [] } as const;

const describe = (shape: Shape, dtype: DType): string => `${dtype} [${shape.join(", ")}]`;

// The backstop for tensors that nobody disposed: the collector found them, some time later.
const unreachable = new FinalizationRegistry<Pick<Tensor, "storage" | "shape" | "dtype">>(
  ({ storage, shape, dtype }) => {
    if (debugLevel >= 1)
      console.warn(
        `shadegrad: a tensor ${describe(shape, dtype)} was never disposed; make it in a scope, or with \`using\``,
      );
    storage.release();
  },
);

/** @throws TypeError naming the first that is no tensor: a promise of one, say. */
export function checkTensors(op: string, operands: Readonly<Record<string, unknown>>): void {
  for (const [name, x] of Object.entries(operands)) {
    if (!(x instanceof Tensor)) throw new TypeError(`${op}: ${name} is ${kindOf(x)}, not a tensor.`);
  }
}

export const TENSOR_OPTIONS = ["dtype", "device", "requiresGrad"];

/**
 * A tensor of the given numbers.
 *
 * `tensor([[1, 2], [3, 4]])` takes its shape from the nesting, `tensor(array, [2, 2])` from the
 * argument; options follow either. Int32Array and 64-bit integers give i32, Uint32Array u32, everything else
 * f32 unless `dtype` says otherwise. Halves that a file holds are taken as the numbers they stand for.
 *
 * @throws ShapeError if the numbers are ragged, or not as many as the shape holds; RangeError if a number is
 *   beyond a type of whole numbers.
 */
export function tensor(data: Nested | Numbers, options?: TensorOptions): Tensor;
export function tensor(data: Nested | Numbers, shape: Shape | undefined, options?: TensorOptions): Tensor;
export function tensor(
  data: Nested | Numbers,
  second?: Shape | TensorOptions,
  third?: TensorOptions,
): Tensor {
  const [shape, options = {}] =
    second !== undefined && isOptions(second) ? [undefined, second] : [second, third];
  checkOptions("tensor", options, TENSOR_OPTIONS);
  const { dtype = dtypeOf(data), device = defaultDevice(), requiresGrad = false } = options;
  const { values, shape: own } = flatten("tensor", data);
  const itsShape = shape ? checkShape("tensor", shape) : (own ?? [values.length]);
  const size = sizeOf(itsShape);
  if (values.length !== size) {
    throw new ShapeError(
      `tensor: ${values.length} numbers for ${size} elements. The shape is [${itsShape}].`,
    );
  }
  checkType("tensor", dtype, requiresGrad);
  const made = upload(encode("tensor", values, dtype), itsShape, dtype, device);
  made.requiresGrad = requiresGrad;
  return made;
}

const isOptions = (given: Shape | TensorOptions): given is TensorOptions =>
  typeof given === "object" && !(given && "length" in given);

/** Numbers of the host, encoded, on a device: there before a compiled function runs, and the same at each call. */
export function upload(encoded: ArrayBufferView, shape: Shape, dtype: DType, device: Device): Tensor {
  const made = empty(shape, dtype, device, "pooled");
  recorder()?.takes(made.storage);
  if (encoded.byteLength > 0) device.write(made.storage, encoded);
  return made;
}

/** Name of a tensor in errors, made where it is needed: most tensors never need theirs. */
class Described {
  readonly #shape: Shape;
  readonly #dtype: DType;

  constructor(shape: Shape, dtype: DType) {
    this.#shape = shape;
    this.#dtype = dtype;
  }

  toString(): string {
    return `a tensor ${describe(this.#shape, this.#dtype)}`;
  }
}

/** A tensor with undefined contents, for code that writes all of it. */
export function empty(
  shape: Shape,
  dtype: DType,
  device: Device,
  memory: Memory = recorder() ? "planned" : "pooled",
): Tensor {
  const bytes = sizeOf(shape) * bytesOf(dtype);
  return new Tensor(shape, dtype, new Storage(device, bytes, new Described(shape, dtype), memory));
}
