/** Kind of an argument, for the message that refuses it. */
export function kindOf(value: unknown): string {
  if (value instanceof Promise) return "a promise (await it)";
  if (Array.isArray(value)) return "an array";
  return value === null || value === undefined ? String(value) : `a ${typeof value}`.replace("a o", "an o");
}

/** Shapes that do not fit each other or the op. */
export class ShapeError extends Error {
  override name = "ShapeError";
}

/** The device is missing, lost, or cannot do what was asked. */
export class DeviceError extends Error {
  override name = "DeviceError";
}

/** A damaged file, one of another format, or contents that a format cannot express. */
export class FormatError extends Error {
  override name = "FormatError";
}

/**
 * Refuse what is no object of options, and options that nobody knows, with the known name that is nearest.
 *
 * @throws TypeError naming the first of them.
 */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new TypeError(`${op}: options are ${kindOf(options)}, not an object.`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near ? `did you mean ${near}?` : `there are ${known.join(", ")}.`;
  throw new TypeError(`${op}: there is no option ${unknown}; ${hint}`);
}

/** The known name that was meant, perhaps, by one that nobody knows; undefined if none is close. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const [first] = [...known].sort((a, b) => edits(unknown, a) - edits(unknown, b));
  return first && edits(unknown, first) <= 1 + unknown.length / 4 ? first : undefined;
}

/** @throws TypeError naming the first that is no number. */
export function checkNumbers(op: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "number") throw new TypeError(`${op}: ${name} is ${kindOf(value)}, not a number.`);
  }
}

/** @throws RangeError with all that there are, unless the value is one of them. */
export function checkChoice(op: string, name: string, value: unknown, known: readonly unknown[]): void {
  if (known.includes(value)) return;
  throw new RangeError(`${op}: ${name} is ${String(value)}; there are ${known.join(", ")}.`);
}

/** @throws RangeError with the option's name and value unless that is right. */
export function checkOption(op: string, name: string, value: unknown, right: boolean, what: string): void {
  if (!right) throw new RangeError(`${op}: ${name} is ${value}, not ${what}.`);
}

/** @throws TypeError if it is no number; RangeError unless it is one ≥ 0, infinity aside. */
export function checkAmount(op: string, name: string, value: number): void {
  checkNumbers(op, { [name]: value });
  checkOption(op, name, value, Number.isFinite(value) && value >= 0, "a number ≥ 0");
}

/** @throws TypeError if it is no number; RangeError unless it is one from 0 to 1. */
export function checkShare(op: string, name: string, value: number): void {
  checkNumbers(op, { [name]: value });
  checkOption(op, name, value, value >= 0 && value <= 1, "in [0, 1]");
}

/** Insertions, deletions and replacements that make one word of another (Levenshtein), whatever their case. */
function edits(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = [0, ...to].map((_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      next.push(Math.min(row[j - 1]! + Number(!isSame), row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
