import { FormatError } from "../errors.ts";
import {
  bytesPerElement,
  countElements,
  HOST_DTYPES,
  type HostDType,
  MAX_RANK,
  quote,
} from "./host-tensor.ts";

export interface NpyHeader {
  readonly dtype: HostDType;
  readonly bigEndian: boolean;
  /** True if the first axis, not the last, is the one whose neighbours are adjacent. */
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly elements: number;
}

export const npyError = (what: string, advice = "Fetch the file again, or fix the program that wrote it") =>
  new FormatError(`npy: ${what}. ${advice}.`);

/** NumPy's name of an element type without the byte order: `f4`, `b1`. It has none for bf16. */
export const npyCode = (dtype: HostDType) =>
  dtype === "bf16" ? undefined : `${dtype[0]}${bytesPerElement(dtype)}`;

/**
 * Parse the Python dict that is the header of a `.npy` file.
 *
 * Not a Python parser: it takes the three keys that NumPy writes, once each, with values of the one form that each has.
 *
 * @throws FormatError if there is anything else, or the dtype is none that a {@link HostDType} stands for.
 */
export function parseNpyHeader(text: string): NpyHeader {
  const found = new Map<string, RegExpExecArray>();
  // A value may be of any form here, so that the message about a wrong one can name its key.
  const member = /\s*(['"])(\w+)\1\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\w+)|\(([^()[\]{}'"]*)\))\s*(,|(?=\}))/y;
  const brace = /^\s*\{/.exec(text)?.[0].length;
  member.lastIndex = brace ?? text.length;
  let end = brace ?? 0;
  for (let match = member.exec(text); match; match = member.exec(text)) {
    const key = match[2]!;
    if (found.has(key))
      throw npyError(`the header has ${quote(key)} twice, again at character ${match.index}`);
    found.set(key, match);
    end = member.lastIndex;
  }
  if (!/^\s*\}\s*$/.test(text.slice(end))) {
    throw npyError(
      `the header has ${quote(text.slice(end, end + 32).trim())} at character ${end}, not a key with a string, a bool or a tuple`,
      "Structured and object arrays are not read; save a plain numeric one",
    );
  }
  const keys = [...found.keys()].sort().join();
  if (keys !== "descr,fortran_order,shape")
    throw npyError(`the header has the keys ${quote(keys)}, not "descr,fortran_order,shape"`);
  const [descr, order, tuple] = ["descr", "fortran_order", "shape"].map((key) => found.get(key)!) as [
    RegExpExecArray,
    RegExpExecArray,
    RegExpExecArray,
  ];

  const fortran = order[5] ?? "no bool";
  if (fortran !== "True" && fortran !== "False")
    throw npyError(`fortran_order is ${quote(fortran)}, not True or False`);
  const shape = parseShape(tuple[6]);
  return {
    ...parseDescr(descr[3] ?? descr[4]),
    fortran: fortran === "True",
    shape,
    elements: countElements(shape, (what) => npyError(`the array ${what}`)),
  };
}

function parseDescr(descr = "no string"): Pick<NpyHeader, "dtype" | "bigEndian"> {
  if (/^[<>|=]?O/.test(descr))
    throw npyError(
      `dtype ${quote(descr)} is of Python objects, which only a pickle holds, not numbers`,
      "Pickles are never run; save a numeric array",
    );
  const dtype = HOST_DTYPES.find((known) => npyCode(known) === descr.slice(1));
  if (!dtype || !/^[<>|=]/.test(descr)) {
    const codes = HOST_DTYPES.flatMap((known) => npyCode(known) ?? []).join(" ");
    throw npyError(
      `dtype ${quote(descr)} is not a byte order, one of < > | =, and one of ${codes}`,
      "Convert the array with astype first",
    );
  }
  return { dtype, bigEndian: descr[0] === ">" };
}

function parseShape(tuple: string | undefined): number[] {
  // A tuple of one needs its comma; Python 2 wrote an L after a long.
  if (tuple === undefined || !/^\s*(\d+L?\s*,\s*(\d+L?\s*(,\s*\d+L?\s*)*,?\s*)?)?$/.test(tuple)) {
    throw npyError(
      `the shape is ${quote(tuple === undefined ? "no tuple" : `(${tuple})`)}, not a tuple of non-negative integers`,
    );
  }
  const sizes = tuple.match(/\d+/g) ?? [];
  if (sizes.length > MAX_RANK) throw npyError(`the shape has ${sizes.length} axes, more than ${MAX_RANK}`);
  return sizes.map(Number);
}
