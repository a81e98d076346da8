import { keep } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";
import { Device } from "../gpu/device.ts";
import { type Modal, watchModeOf } from "./mode.ts";

/** Anything that makes one tensor of another. A model need not be one: any object is a model. */
export interface Layer {
  forward(x: Tensor): Tensor;
}

/** A field of a model, or of an object in it, that holds a tensor. */
export interface TensorField {
  /** PyTorch's name for it: `blocks.0.bn1.running_mean`. */
  readonly name: string;
  readonly tensor: Tensor;
  readonly owner: object;
  readonly field: string;
}

/**
 * The model and every object in it, each once, under the name PyTorch gives it, `""` for the model itself: those outside
 * before those inside.
 *
 * Fields of objects and elements of arrays, Maps and Sets are followed; there is no base class to
 * inherit from and nothing to register. Tensors, devices and typed arrays are no part of a model's structure.
 */
export const namedModules = (model: object): (readonly [name: string, module: object])[] =>
  [...modulesIn(model)].map(([module, prefix]) => [prefix.slice(0, -1), module]);

/** Each with the prefix of its fields' names. */
function* modulesIn(model: object, prefix = "", seen = new Set<object>()): Generator<[object, string]> {
  seen.add(model);
  watchModeOf(model);
  yield [model, prefix];
  for (const { name, value } of heldBy(model)) {
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    if (value instanceof Tensor || value instanceof Device || ArrayBuffer.isView(value)) continue;
    yield* modulesIn(value, `${prefix}${name}.`, seen);
  }
}

interface Held {
  readonly field: string;
  /** PyTorch's name for the field; keys of Maps are names as they stand. */
  readonly name: string;
  readonly value: unknown;
}

function heldBy(part: object): Held[] {
  if (part instanceof Map) {
    return [...part].map(([key, value]) => ({ field: String(key), name: String(key), value }));
  }
  const fields = Object.entries(part instanceof Set ? [...part] : part);
  return fields.map(([field, value]) => ({ field, name: snakeCase(field), value }));
}

const snakeCase = (field: string): string => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every field of a model that holds a tensor; a tensor that is shared has several. */
export function tensorFields(model: object): TensorField[] {
  const fields: TensorField[] = [];
  for (const [owner, prefix] of modulesIn(model)) {
    for (const { field, name, value } of heldBy(owner)) {
      if (value instanceof Tensor) fields.push({ name: prefix + name, tensor: value, owner, field });
    }
  }
  return fields;
}

/**
 * Every tensor a model holds, under the name PyTorch gives it; one that is shared under its first name alone.
 *
 * A model is any object. Its fields, and those of the objects, arrays, Maps and Sets in them, are its state.
 */
export function stateDict(model: object): Map<string, Tensor> {
  const names = new Map<Tensor, string>();
  for (const { name, tensor } of tensorFields(model)) if (!names.has(tensor)) names.set(tensor, name);
  return new Map([...names].map(([tensor, name]) => [name, tensor]));
}

/** The tensors that an optimizer should move, by name: those that require a gradient. */
export const namedParameters = (model: object): Map<string, Tensor> =>
  new Map([...stateDict(model)].filter(([, tensor]) => tensor.requiresGrad));

/** The tensors that an optimizer should move. */
export const parameters = (model: object): Tensor[] => [...namedParameters(model).values()];

/** Number of trainable elements. */
export const countParameters = (model: object): number =>
  parameters(model).reduce((count, { size }) => count + size, 0);

/** Make a tensor a model's own to train: it requires a gradient, and lives until the model is disposed. */
export function parameter(tensor: Tensor): Tensor {
  tensor.requiresGrad = true;
  return keep(tensor);
}

/** Switch to training: set every `training` flag in the model. */
export const train = <M extends object>(model: M): M => setTraining(model, true);

/** Switch to evaluation: batch norm uses its running statistics, dropout does nothing. */
export const evaluate = <M extends object>(model: M): M => setTraining(model, false);

function setTraining<M extends object>(model: M, training: boolean): M {
  for (const part of modalPartsOf(model)) part.training = training;
  return model;
}

/** Call `f` in training or evaluation mode, then restore the mode of each layer. */
export function inMode<T>(model: object, training: boolean, f: () => T): T {
  const before = modalPartsOf(model).map((part) => [part, part.training] as const);
  try {
    setTraining(model, training);
    return f();
  } finally {
    for (const [part, training] of before) part.training = training;
  }
}

const modalPartsOf = (model: object): Modal[] =>
  [...modulesIn(model)].map(([part]) => part).filter(watchModeOf);

/** Forget the gradients of every tensor in the model. */
export function zeroGrad(model: object): void {
  for (const tensor of stateDict(model).values()) {
    tensor.grad?.dispose();
    tensor.grad = undefined;
  }
}

/** Free every tensor of the model. */
export function dispose(model: object): void {
  for (const tensor of stateDict(model).values()) tensor.dispose();
}
