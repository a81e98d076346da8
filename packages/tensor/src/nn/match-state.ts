import { assign } from "../core/assign.ts";
import type { Shape } from "../core/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { checkOptions, FormatError } from "../errors.ts";
import { type HostTensor, toFloat32, toInt32 } from "../formats/host-tensor.ts";

/** Tensors by name, as a checkpoint holds them and `stateDict` gives them. */
export type State = ReadonlyMap<string, Tensor | HostTensor>;

export interface LoadOptions {
  /** True if names that are missing or unexpected are an error; wrong shapes always are. */
  strict?: boolean;
}

/** Missing and unexpected names, where `strict` is false. */
export interface Loaded {
  missing: string[];
  unexpected: string[];
}

/**
 * Compare the shapes that are wanted with those that are offered, before anything is changed.
 *
 * @throws FormatError with all missing, unexpected and misshapen names, sorted.
 */
export function matchState(
  op: string,
  wanted: ReadonlyMap<string, Shape>,
  offered: ReadonlyMap<string, Shape>,
  { strict = true, ...unknown }: LoadOptions,
): Loaded {
  checkOptions(op, unknown, ["strict"]);
  const missing = [...wanted.keys()].filter((name) => !offered.has(name)).sort();
  const unexpected = [...offered.keys()].filter((name) => !wanted.has(name)).sort();
  const misshapen = [...wanted]
    .filter(([name, shape]) => offered.has(name) && String(offered.get(name)) !== String(shape))
    .map(([name, shape]) => `${name} is [${offered.get(name)}] but has to be [${shape}]`)
    .sort();
  const complaints = [
    ["missing", strict ? missing : []],
    ["unexpected", strict ? unexpected : []],
    ["misshapen", misshapen],
  ] as const;
  const found = complaints.filter(([, names]) => names.length > 0);
  if (found.length > 0) {
    throw new FormatError(
      [
        `${op}: the state does not fit: ${found.map(([kind, names]) => `${names.length} ${kind}`).join(", ")}.`,
        ...found.flatMap(([kind, names]) => lines(kind, names)),
      ].join("\n"),
    );
  }
  return { missing, unexpected };
}

/** Names that a message lists of each kind; a file may have any number. */
const MAX_NAMES = 200;

function lines(kind: string, names: readonly string[]): string[] {
  const more = names.length - MAX_NAMES;
  const shown = names.slice(0, MAX_NAMES).map((name) => `  ${kind}: ${printable(name)}`);
  return more > 0 ? [...shown, `  ${kind}: ${more} more`] : shown;
}

/** A name out of a file, quoted if a terminal could take it for anything but text. */
const printable = (name: string): string =>
  /^[ -~]{0,300}$/.test(name) ? name : JSON.stringify(name.slice(0, 300));

/**
 * Replace the numbers of `x` by those of a state's entry, converted to its type.
 *
 * @throws FormatError if x holds whole numbers and the entry does not.
 */
export function restore(name: string, x: Tensor, value: Tensor | HostTensor): void {
  if (value instanceof Tensor) assign(x, value);
  else assign(x, x.dtype === "i32" || x.dtype === "u32" ? toInt32(value, name) : toFloat32(value));
}
