import { Tensor } from "../core/tensor.ts";
import type { HostTensor } from "../formats/index.ts";
import type { State } from "../nn/match-state.ts";

/** Type of an option. */
export type Option = number | readonly number[] | boolean;

/** An option as a file holds it. */
export const encode = (value: Option): HostTensor => {
  if (typeof value === "boolean") return { dtype: "bool", shape: [], data: Uint8Array.of(Number(value)) };
  if (typeof value === "number") return { dtype: "f64", shape: [], data: Float64Array.of(value) };
  return { dtype: "f64", shape: [value.length], data: Float64Array.from(value) };
};

/** The option in a file, of the type that `like` has. */
export const decode = (numbers: number[], like: Option): Option => {
  if (typeof like === "boolean") return numbers[0] !== 0;
  return typeof like === "number" ? numbers[0]! : numbers;
};

/** @throws TypeError if the state holds a tensor on a device there. */
export function numbersOf(state: State, name: string): number[] {
  const value = state.get(name)!;
  if (value instanceof Tensor)
    throw new TypeError(`${name} is a tensor on a device; give it as a file does.`);
  return Array.from(value.data as ArrayLike<number | bigint>, Number);
}
