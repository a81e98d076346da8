import { crc32 } from "node:zlib";

export interface Saved {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A state dict as `torch.save` writes it: a zip, stored, of a pickle and a file for each tensor's storage. */
export function pth(tensors: ReadonlyMap<string, Saved>): Buffer {
  const entries = [...tensors];
  return zip([
    ["archive/data.pkl", pickled(entries)],
    ...entries.map(
      ([, { data }], i): Entry => [
        `archive/data/${i}`,
        Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      ],
    ),
    ["archive/version", Buffer.from("3\n")],
  ]);
}

/** The opcodes of pickle's protocol 2 that it takes. */
const MARK = "(";
const TUPLE = "t";
const REDUCE = "R";
const named = (module: string, name: string) => Buffer.from(`c${module}\n${name}\n`);
const EMPTY_DICT = [named("collections", "OrderedDict"), ")", REDUCE];
const text = (value: string) => [Buffer.from([0x58, ...littleEndian(4, value.length)]), value];
const whole = (value: number) => Buffer.from([0x4a, ...littleEndian(4, value)]);
const tuple = (values: readonly number[]) => [MARK, ...values.map(whole), TUPLE];

function pickled(entries: readonly (readonly [string, Saved])[]): Buffer {
  const items = entries.flatMap(([name, { shape, data }], i) => [
    ...text(name),
    named("torch._utils", "_rebuild_tensor_v2"),
    MARK,
    ...[MARK, ...text("storage"), named("torch", "FloatStorage"), ...text(String(i)), ...text("cpu")],
    ...[whole(data.length), TUPLE, "Q"],
    ...[whole(0), ...tuple(shape), ...tuple(stridesOf(shape))],
    ...[Buffer.from([0x89]), ...EMPTY_DICT, TUPLE, REDUCE],
  ]);
  const parts = [Buffer.from([0x80, 2]), ...EMPTY_DICT, MARK, ...items, "u."];
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

const stridesOf = (shape: readonly number[]): number[] =>
  shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));

type Entry = readonly [name: string, bytes: Buffer];

function zip(entries: readonly Entry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of entries) {
    // Version, flags, method, time and date; then what both headers have.
    const shared = [20, 0, 0, 0, 0x21].flatMap((value) => littleEndian(2, value));
    const sizes = [crc32(bytes), bytes.length, bytes.length].flatMap((value) => littleEndian(4, value));
    const lengths = [name.length, 0].flatMap((value) => littleEndian(2, value));
    const file = Buffer.concat([
      Buffer.from([...signature(3, 4), ...shared, ...sizes, ...lengths]),
      Buffer.from(name),
      bytes,
    ]);
    const nowhere = Array(10).fill(0); // comment, disk and attributes
    const entry = [...signature(1, 2), 20, 0, ...shared, ...sizes, ...lengths, ...nowhere];
    directory.push(Buffer.from([...entry, ...littleEndian(4, offset)]), Buffer.from(name));
    files.push(file);
    offset += file.length;
  }
  const list = Buffer.concat(directory);
  const counts = [0, 0, entries.length, entries.length].flatMap((value) => littleEndian(2, value));
  const end = [...counts, ...littleEndian(4, list.length), ...littleEndian(4, offset), 0, 0];
  return Buffer.concat([...files, list, Buffer.from([...signature(5, 6), ...end])]);
}

const signature = (a: number, b: number): number[] => [0x50, 0x4b, a, b];

function littleEndian(bytes: number, value: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);
}
