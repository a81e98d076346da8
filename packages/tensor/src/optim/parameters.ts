import { Tensor } from "../core/tensor.ts";
import { ShapeError } from "../errors.ts";
import { namedParameters } from "../nn/module.ts";

/** Tensors to move: themselves, or a model that holds them. */
export type Parameters = Iterable<Tensor> | object;

/** Tensors that share options of their own. */
export type ParameterGroup<O> = Partial<O> & { params: Parameters };

/** Tensors by name where they come from a model. */
export function namedTensors(params: Parameters): Iterable<readonly [string | undefined, Tensor]> {
  if (params instanceof Tensor) return [[undefined, params]];
  const items = isList(params) ? [...(params as Iterable<unknown>)] : undefined;
  if (items?.every((item) => item instanceof Tensor)) return items.map((item) => [undefined, item]);
  return namedParameters(items ?? params);
}

/** True if it lists things without names, as a Map does not. */
const isList = (params: object): boolean => Symbol.iterator in params && !(params instanceof Map);

/** The groups that a caller gives, or one of all tensors. */
export function groupsOf<O>(params: Parameters | Iterable<ParameterGroup<O>>): ParameterGroup<O>[] {
  if (!isList(params)) return [{ params } as ParameterGroup<O>];
  const items = [...(params as Iterable<object>)];
  const isGroup = (item: object): item is ParameterGroup<O> => "params" in item;
  return items.length > 0 && items.every(isGroup) ? items : [{ params: items } as ParameterGroup<O>];
}

/** @throws ShapeError unless `w` is a leaf of float32 that requires a gradient. */
export function checkParameter(kind: string, name: string | number, w: Tensor): void {
  const fail = (what: string) => new ShapeError(`${kind}: parameter ${name} ${what}. It is ${w}.`);
  if (w.dtype !== "f32") throw fail("has to be f32: small steps vanish in less");
  if (w.history) throw fail("is the result of an op; give the leaf that it was made from");
  if (!w.requiresGrad) throw fail("does not require a gradient; parameter(tensor) makes it do so");
}
