import { FormatError } from "../errors.ts";
import {
  bytesPerElement,
  countElements,
  HOST_DTYPES,
  type HostDType,
  MAX_RANK,
  quote,
} from "./host-tensor.ts";

/** Entry of a header for one tensor; its bytes are counted from the end of the header. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: HostDType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: ReadonlyMap<string, string>;
}

export const damaged = (what: string, advice = "Fetch the file again, or fix the program that wrote it") =>
  new FormatError(`safetensors: ${what}. ${advice}.`);

/**
 * Parse the JSON of a header and check everything that follows from it alone.
 *
 * @throws FormatError if the JSON has another form than the safetensors format gives it, if a name comes twice, or if
 * shapes, types and byte ranges disagree.
 */
export function parseHeader(text: string): Header {
  const json = new HeaderText(text);
  if (text[0] !== "{")
    throw damaged(
      `the header begins with ${quote(text.slice(0, 1))}, not "{"`,
      "This is no safetensors file",
    );
  const tensors: TensorInfo[] = [];
  const metadata = new Map<string, string>();
  for (const name of json.members("the header")) {
    if (name === "__metadata__")
      for (const key of json.members("__metadata__")) metadata.set(key, json.string());
    else tensors.push(parseTensor(name, json));
  }
  json.end();

  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  let before: TensorInfo | undefined;
  for (const tensor of tensors) {
    const expected = before?.end ?? 0;
    if (tensor.start !== expected) {
      const neighbour = before ? `${quote(before.name)} ends at ${expected}` : "the data begins at 0";
      throw damaged(
        `${quote(tensor.name)} begins at byte ${tensor.start} but ${neighbour}: ${tensor.start < expected ? "they overlap" : "there is a hole"}`,
      );
    }
    before = tensor;
  }
  return { tensors, metadata };
}

function parseTensor(name: string, json: HeaderText): TensorInfo {
  const label = quote(name);
  let tag: string | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  for (const field of json.members(label)) {
    if (field === "dtype") tag = json.string();
    else if (field === "shape") shape = json.integers(MAX_RANK, `the shape of ${label}`);
    else if (field === "data_offsets") range = json.integers(2, `the data_offsets of ${label}`);
    else throw damaged(`${label} has a field ${quote(field)} beside dtype, shape and data_offsets`);
  }
  if (tag === undefined || !shape || range?.length !== 2) {
    const missing =
      tag === undefined ? "dtype" : !shape ? "shape" : `two data_offsets but ${range?.length ?? 0}`;
    throw damaged(`${label} has no ${missing}`);
  }
  const dtype = HOST_DTYPES.find((known) => known.toUpperCase() === tag);
  if (!dtype)
    throw damaged(
      `${label} has dtype ${quote(tag)}, not one of ${HOST_DTYPES.join(" ").toUpperCase()}`,
      "Convert it to one of these first",
    );
  const [start, end] = range as [number, number];
  const bytes = countElements(shape, (what) => damaged(`${label} ${what}`)) * bytesPerElement(dtype);
  if (end - start !== bytes)
    throw damaged(
      `${label} has bytes ${start} to ${end}, ${end - start} of them, but ${tag} [${shape}] takes ${bytes}`,
    );
  return { name, dtype, shape, start, end };
}

/**
 * JSON (RFC 8259) as far as a header needs it: objects, arrays of integers, strings.
 *
 * JSON.parse would hide a name that comes twice, nest as deep as a file likes, and read 4.0 as an integer.
 */
class HeaderText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The keys of an object; whoever asks for the next one has read the value of the last. */
  *members(label: string): Generator<string> {
    const seen = new Set<string>();
    this.#expect("{");
    if (this.#eat("}")) return;
    do {
      const key = this.string();
      if (seen.has(key))
        throw damaged(`${label} has ${quote(key)} twice, again before character ${this.#at}`);
      seen.add(key);
      this.#expect(":");
      yield key;
    } while (this.#eat(","));
    this.#expect("}");
  }

  string(): string {
    this.#space();
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#unexpected("a string");
    let end = start;
    do end = this.#text.indexOf('"', end + 1);
    while (end >= 0 && this.#escaped(end));
    this.#at = end < 0 ? this.#text.length : end + 1;
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      this.#at = start;
      throw this.#unexpected("a string");
    }
  }

  integers(most: number, label: string): number[] {
    const numbers: number[] = [];
    this.#expect("[");
    if (this.#eat("]")) return numbers;
    do {
      if (numbers.length === most) throw damaged(`${label} has more than ${most} numbers`);
      numbers.push(this.#integer(label));
    } while (this.#eat(","));
    this.#expect("]");
    return numbers;
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected("its end");
  }

  #integer(label: string): number {
    this.#space();
    const digits = /[^\s,\]]{0,32}/y;
    digits.lastIndex = this.#at;
    const [found] = digits.exec(this.#text)!;
    if (!/^(0|[1-9]\d*)$/.test(found) || !Number.isSafeInteger(Number(found))) {
      throw damaged(
        `${label} has ${quote(found)} where a non-negative integer up to ${Number.MAX_SAFE_INTEGER} belongs`,
      );
    }
    this.#at += found.length;
    return Number(found);
  }

  #escaped(quoteAt: number): boolean {
    let backslashes = 0;
    while (this.#text[quoteAt - 1 - backslashes] === "\\") backslashes++;
    return backslashes % 2 === 1;
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? "")) this.#at++;
  }

  #eat(token: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#eat(token)) throw this.#unexpected(quote(token));
  }

  #unexpected(wanted: string): FormatError {
    const found = this.#text.slice(this.#at, this.#at + 16);
    return damaged(
      `the header has ${found ? quote(found) : "its end"} at character ${this.#at}, not ${wanted}`,
    );
  }
}
