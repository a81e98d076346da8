import { joined, type Part } from "./files.ts";

const little = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
export const u16 = (value: number) => little(Uint16Array.of(value));
export const u32 = (value: number) => little(Uint32Array.of(value));
export const i64 = (value: number) => little(BigInt64Array.of(BigInt(value)));
export const f32 = (...values: number[]) => little(Float32Array.from(values));

/** A name that a pickle imports; with `args`, a call of it. */
export class Name {
  readonly name: string;
  readonly args: readonly unknown[] | undefined;

  constructor(name: string, args?: readonly unknown[]) {
    this.name = name;
    this.args = args;
  }
}

/** A persistent id. */
export class Persistent {
  readonly id: unknown;

  constructor(id: unknown) {
    this.id = id;
  }
}

/** Opcodes that push a value: Maps as dicts, arrays as tuples, numbers as 32-bit integers. */
function coded(value: unknown): Uint8Array<ArrayBuffer> {
  if (value === null) return joined("N");
  if (typeof value === "boolean") return joined([value ? 0x88 : 0x89]);
  if (typeof value === "number") return joined("J", little(Int32Array.of(value)));
  if (typeof value === "string") return joined("X", u32(value.length), value);
  if (value instanceof Map) return joined("}(", ...[...value].flat().map(coded), "u");
  if (Array.isArray(value)) return joined("(", ...value.map(coded), "t");
  if (value instanceof Persistent) return joined(coded(value.id), "Q");
  if (!(value instanceof Name)) throw new Error(`no code for ${String(value)}`);
  const [, module, name] = /^(.*)\.([^.]+)$/.exec(value.name)!;
  const imported = joined(`c${module}\n${name}\n`);
  return value.args ? joined(imported, coded(value.args), "R") : imported;
}

export const pickled = (value: unknown): Uint8Array<ArrayBuffer> => joined([0x80, 2], coded(value), ".");

interface View {
  readonly type?: string;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  /** Fields that the legacy format adds to a storage that is part of another. */
  readonly part?: unknown;
}

/** A tensor in the storage of that key, of some elements; all of them in a row if nothing is said. */
export function tensorIn(
  key: string,
  elements: number,
  { type = "FloatStorage", offset = 0, shape = [elements], strides = [1], part }: View = {},
): Name {
  const id = ["storage", new Name(`torch.${type}`), key, "cpu", elements];
  const storage = new Persistent(part === undefined ? id : [...id, part]);
  return new Name("torch._utils._rebuild_tensor_v2", [storage, offset, shape, strides]);
}

type Files = Readonly<Record<string, Part>>;

/** A zip archive without compression, though its directory may say otherwise. */
export function zip(files: Files, method = 0): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = joined(content);
    const about = [
      u16(method),
      u32(0),
      u32(0),
      u32(bytes.length),
      u32(bytes.length),
      u16(name.length),
      u16(0),
    ];
    const local = joined("PK\x03\x04", u16(10), u16(0), ...about, name, bytes);
    directory.push(
      joined("PK\x01\x02", u16(10), u16(10), u16(0), ...about, u16(0), u16(0), u16(0), u32(0), u32(at), name),
    );
    parts.push(local);
    at += local.length;
  }
  const listed = joined(...directory);
  const count = u16(directory.length);
  const end = joined("PK\x05\x06", u16(0), u16(0), count, count, u32(listed.length), u32(at), u16(0));
  return joined(...parts, listed, end);
}

/** File of `torch.save`: the object, and its storages by key. */
export const torchZip = (value: unknown, storages: Files, more: Files = {}): Uint8Array<ArrayBuffer> =>
  zip({
    "net/data.pkl": pickled(value),
    ...more,
    ...Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`net/data/${key}`, bytes])),
  });

interface Legacy {
  readonly magic?: Part;
  readonly protocol?: unknown;
  readonly machine?: unknown;
  readonly keys?: unknown;
}

/** File of `torch.save` before PyTorch 1.6: pickles, then the storages, each as its elements, 4 bytes each, after their number. */
export function torchLegacy(
  value: unknown,
  storages: Files,
  { magic = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19], ...others }: Legacy = {},
): Uint8Array<ArrayBuffer> {
  const {
    protocol = 1001,
    machine = new Map([["little_endian", true]]),
    keys = Object.keys(storages),
  } = others;
  const runs = Object.values(storages).map((bytes) => joined(i64(bytes.length / 4), bytes));
  return joined([0x80, 2, 0x8a, 10], magic, ".", ...[protocol, machine, value, keys].map(pickled), ...runs);
}
