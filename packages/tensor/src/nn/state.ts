import { type Shape, sizeOf } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { checkChoice, checkOptions, FormatError } from "../errors.ts";
import {
  type HostTensor,
  openSafetensors,
  type SourceInput,
  toBigInt64,
  toFloat32,
  type Writable,
} from "../formats/index.ts";
import { type Loaded, type LoadOptions, matchState, restore, type State } from "./match-state.ts";
import { type TensorField, tensorFields } from "./module.ts";

/**
 * Declared by a layer whose tensors have another layout in PyTorch, such as Conv2d and Linear.
 *
 * `{ weight: [3, 2, 0, 1] }`: axis i of PyTorch's weight is axis 3, 2, 0, 1 of the layer's.
 */
export interface TorchLayout {
  readonly torchAxes: Readonly<Record<string, readonly number[]>>;
}

export interface LoadStateOptions extends LoadOptions {
  /** Layout of the state's weights: this engine's, or that of PyTorch and of files. */
  layout?: "engine" | "torch";
}

/**
 * Copy a state into the tensors of a model, in place; shapes and names are compared before.
 *
 * @throws FormatError with all missing, unexpected and misshapen names at once.
 */
export function loadStateDict(model: object, state: State, given: LoadStateOptions = {}): Loaded {
  checkOptions("loadStateDict", given, ["strict", "layout"]);
  const { layout = "engine", ...options } = given;
  const slots = slotsOf("loadStateDict", model, layout);
  const loaded = match("loadStateDict", slots, state, options);
  for (const [name, { tensor, axes }] of slots) {
    const value = state.get(name);
    if (!value) continue;
    if (axes && value instanceof Tensor) {
      throw new FormatError(
        `loadStateDict: ${name} is a tensor on a device in PyTorch's layout; give what the file holds.`,
      );
    }
    restore(name, tensor, axes && !(value instanceof Tensor) ? fromTorch(value, axes) : value);
  }
  return loaded;
}

/**
 * The state of a model as PyTorch has it, for `writeSafetensors`: its names, layouts and types. Each
 * tensor is read from the device when its turn comes.
 */
export function torchStateDict(model: object): Map<string, Writable> {
  return new Map(
    [...slotsOf("torchStateDict", model, "torch")]
      .filter(([, { alias }]) => !alias)
      .map(([name, { tensor, axes, shape }]) => [name, writable(tensor, shape, axes)]),
  );
}

function writable(tensor: Tensor, shape: Shape, axes: readonly number[] | undefined): Writable {
  const { dtype } = tensor;
  // PyTorch's whole numbers have 64 bits.
  if (dtype === "i32") {
    const data = async () => toBigInt64({ dtype, shape, data: (await tensor.data()) as Int32Array });
    return { dtype: "i64", shape, data };
  }
  const data = async () => {
    const values = await tensor.data();
    return axes ? permute(values as Float32Array, tensor.shape, axes) : values;
  };
  return { dtype, shape, data };
}

/**
 * Load a safetensors file, as PyTorch and its kin write them, into a model: one tensor at a time, so
 * that memory holds no second copy of the model. A bad header changes nothing.
 *
 * @throws FormatError if the file is damaged or does not fit the model.
 */
export async function loadSafetensors(
  model: object,
  input: SourceInput,
  options: LoadOptions = {},
): Promise<Loaded> {
  const file = await openSafetensors(input);
  try {
    const slots = slotsOf("loadSafetensors", model, "torch");
    const loaded = match("loadSafetensors", slots, file.entries, options);
    for await (const [name, entry] of file) await fill(slots, name, entry);
    return loaded;
  } finally {
    await file.close();
  }
}

/** A tensor of an open file, read on demand. */
export interface StateEntry {
  readonly shape: Shape;
  read(): Promise<HostTensor>;
}

export interface LoadEntriesOptions extends LoadStateOptions {
  /** Name of a tensor in the file, by its name in the model; undefined if the file need not have it. */
  nameOf?: (name: string) => string | undefined;
  /** Name for errors. */
  op?: string;
}

/**
 * Load the tensors of an open file of any format into a model, one at a time. Names and shapes are
 * compared before, and complaints have the file's names.
 *
 * @throws FormatError if the file is damaged or does not fit the model.
 */
export async function loadEntries(
  model: object,
  entries: ReadonlyMap<string, StateEntry>,
  { layout = "torch", nameOf = (name) => name, op = "loadEntries", ...options }: LoadEntriesOptions = {},
): Promise<Loaded> {
  const slots = new Map(
    [...slotsOf(op, model, layout)].flatMap(([name, slot]) => {
      const called = nameOf(name);
      return called === undefined ? [] : [[called, slot] as const];
    }),
  );
  const loaded = match(op, slots, entries, options);
  for (const [name, entry] of entries) await fill(slots, name, entry);
  return loaded;
}

async function fill(slots: ReadonlyMap<string, Slot>, name: string, entry: StateEntry): Promise<void> {
  const slot = slots.get(name);
  if (!slot) return;
  const value = await entry.read();
  restore(name, slot.tensor, slot.axes ? fromTorch(value, slot.axes) : value);
}

interface Slot {
  readonly tensor: Tensor;
  /** Shape in the state. */
  readonly shape: Shape;
  /** Axes of the tensor in the state's order, where that is not the tensor's. */
  readonly axes: readonly number[] | undefined;
  /** True if the tensor has an earlier name. */
  readonly alias: boolean;
}

function slotsOf(op: string, model: object, layout: "engine" | "torch"): Map<string, Slot> {
  checkChoice(op, "layout", layout, ["engine", "torch"]);
  const seen = new Set<Tensor>();
  return new Map(
    tensorFields(model).map((field) => {
      const { name, tensor } = field;
      const axes = layout === "torch" ? axesOf(field) : undefined;
      const alias = seen.has(tensor);
      seen.add(tensor);
      return [name, { tensor, axes, alias, shape: axes?.map((axis) => tensor.shape[axis]!) ?? tensor.shape }];
    }),
  );
}

const axesOf = ({ owner, field }: TensorField): readonly number[] | undefined =>
  (owner as Partial<TorchLayout>).torchAxes?.[field];

/** PyTorch writes a shared tensor under all its names, we under one: either will do. */
function match(
  op: string,
  slots: ReadonlyMap<string, Slot>,
  state: ReadonlyMap<string, { readonly shape: Shape }>,
  options: LoadOptions,
): Loaded {
  const wanted = [...slots].filter(([name, { alias }]) => !alias || state.has(name));
  return matchState(
    op,
    new Map(wanted.map(([name, { shape }]) => [name, shape])),
    new Map([...state].map(([name, { shape }]) => [name, shape])),
    options,
  );
}

function fromTorch(value: HostTensor, axes: readonly number[]): HostTensor {
  const back = axes.map((_, axis) => axes.indexOf(axis));
  const data = permute(toFloat32(value), value.shape, back);
  return { dtype: "f32", shape: back.map((axis) => value.shape[axis]!), data };
}

/** Axis i of the result is axis `axes[i]` of x. */
function permute(x: Float32Array, shape: Shape, axes: readonly number[]): Float32Array {
  const y = new Float32Array(x.length);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  let at = 0;
  const visit = (i: number, offset: number): void => {
    const [side, stride] = [shape[axes[i]!]!, strides[axes[i]!]!];
    if (i === axes.length - 1) {
      for (let k = 0; k < side; k++) y[at++] = x[offset + k * stride]!;
    } else for (let k = 0; k < side; k++) visit(i + 1, offset + k * stride);
  };
  visit(0, 0);
  return y;
}
