/** A generator of whole numbers, the same for the same seed (mulberry32). */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Mutation = (file: Uint8Array, draw: (below: number) => number, other: Uint8Array) => Uint8Array;

/** Values at which sizes and offsets go wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const NUMBERS = ["0", "-1", "1e9", "4294967296", "9007199254740993", "99999999999999999999", "0.5", "NaN"];

const concat = (...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};

const range = (file: Uint8Array, draw: (below: number) => number, most: number): [number, number] => {
  const start = draw(file.length + 1);
  return [start, Math.min(file.length, start + draw(most + 1))];
};

const MUTATIONS: readonly Mutation[] = [
  function flipBit(file, draw) {
    const copy = file.slice();
    if (copy.length > 0) copy[draw(copy.length)]! ^= 1 << draw(8);
    return copy;
  },
  function setByte(file, draw) {
    const copy = file.slice();
    if (copy.length > 0) copy[draw(copy.length)] = draw(256);
    return copy;
  },
  function setNumber(file, draw) {
    const copy = file.slice();
    const width = [1, 2, 4, 8][draw(4)]!;
    if (copy.length < 8) return copy;
    const at = draw(copy.length - width + 1);
    const value = BigInt(EDGES[draw(EDGES.length)]!);
    for (let i = 0; i < width; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 255n);
    return copy;
  },
  function truncate(file, draw) {
    return file.slice(0, draw(file.length + 1));
  },
  function remove(file, draw) {
    const [start, end] = range(file, draw, 64);
    return concat(file.subarray(0, start), file.subarray(end));
  },
  function insert(file, draw) {
    const at = draw(file.length + 1);
    const more = Uint8Array.from({ length: 1 + draw(16) }, () => draw(256));
    return concat(file.subarray(0, at), more, file.subarray(at));
  },
  function repeat(file, draw) {
    const [start, end] = range(file, draw, 32);
    const times = 1 + draw(draw(8) === 0 ? 2000 : 8);
    const part = file.subarray(start, end);
    return concat(file.subarray(0, end), ...Array<Uint8Array>(times).fill(part), file.subarray(end));
  },
  function splice(file, draw, other) {
    const [start, end] = range(other, draw, 256);
    const at = draw(file.length + 1);
    return concat(file.subarray(0, at), other.subarray(start, end), file.subarray(at));
  },
  function replaceDecimal(file, draw) {
    const text = new TextDecoder("latin1").decode(file.subarray(0, 1 << 16));
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return file;
    const { index, 0: digits } = found[draw(found.length)]!;
    const number = new TextEncoder().encode(NUMBERS[draw(NUMBERS.length)]!);
    return concat(file.subarray(0, index), number, file.subarray(index + digits.length));
  },
];

/** A file with one to six things changed in it. */
export function mutated(file: Uint8Array, draw: (below: number) => number, other: Uint8Array): Uint8Array {
  let copy = file;
  for (let i = draw(1 + draw(6)); i >= 0; i--) copy = MUTATIONS[draw(MUTATIONS.length)]!(copy, draw, other);
  return copy;
}
