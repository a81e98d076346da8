import type { Holes } from "@shadegrad/kernels-wgsl";
import { type MapParams, map } from "@shadegrad/kernels-wgsl/map";
import { isInteger } from "../core/dtype.ts";
import type { Bound, Recorded } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { countReaders, storagesOf } from "./liveness.ts";

/** A launch, and what was merged into it. */
export interface Merged extends Recorded {
  /** The elementwise launches that it does as well. */
  readonly mergedCount?: number;
}

/**
 * Merge elementwise launches into the launch that makes one of their operands, where nobody else reads
 * that: into the hole `epilogue` of a kernel that has one, or into the expression of another elementwise launch.
 *
 * The two become one at the place of the second, where all operands are there.
 */
export function mergeElementwise(launches: readonly Recorded[], kept: ReadonlySet<Storage>): Merged[] {
  const result: (Merged | undefined)[] = [...launches];
  const readers = countReaders(launches);
  const makers = new Map<Storage, number>();
  const changes = new Map<Storage, number>();
  for (let i = 0; i < result.length; i++) {
    for (let again = true; again; ) {
      again = false;
      const second = result[i]!;
      for (const place of makersOf(second, makers)) {
        const first = result[place]!;
        const y = first.writes[0]!;
        const isFree = !kept.has(y.storage) && readers.get(y.storage) === 1 && !changes.has(y.storage);
        const isSame = first.reads
          .flatMap(storagesOf)
          .every((storage) => (changes.get(storage) ?? -1) < place);
        const canMove = isFree && isSame && !isTouched(first.writes.slice(1), result.slice(place + 1, i));
        const merged = canMove ? (intoEpilogue(first, second) ?? intoMap(first, second)) : undefined;
        if (!merged) continue;
        result[place] = undefined;
        result[i] = { ...merged, mergedCount: (first.mergedCount ?? 0) + (second.mergedCount ?? 0) + 1 };
        again = merged.kernel === second.kernel;
        break;
      }
    }
    const { writes } = result[i]!;
    if (writes[0]!.allocated) makers.set(writes[0]!.storage, i);
    for (const write of writes) {
      if (!write.allocated) for (const storage of storagesOf(write)) changes.set(storage, i);
    }
  }
  return result.filter((launch) => launch !== undefined);
}

/** Whether one of these launches reads or writes what others do. */
function isTouched(writes: Recorded["writes"], between: readonly (Recorded | undefined)[]): boolean {
  if (writes.length === 0) return false;
  const written = new Set(writes.flatMap(storagesOf));
  return between.some((launch) =>
    [...(launch?.reads ?? []), ...(launch?.writes ?? [])]
      .flatMap(storagesOf)
      .some((storage) => written.has(storage)),
  );
}

/** Where the operands of an elementwise launch are made that it could be merged into, the last one first. */
function makersOf(launch: Recorded, makers: ReadonlyMap<Storage, number>): number[] {
  if (!isPlainMap(launch)) return [];
  const places = operandsOf(launch).map(({ operand }) => makers.get(operand.storage) ?? -1);
  return [...new Set(places)].filter((place) => place >= 0).sort((a, b) => b - a);
}

/** Whether it computes with floats, the same at each call. */
const isPlainMap = ({ kernel, paramsAtCall, holes, writes }: Recorded): boolean =>
  kernel.name === map.name && !paramsAtCall && (holes.S ?? "f32") === "f32" && writes[0]!.allocated;

interface Operand {
  /** In the expression. */
  readonly name: "a" | "b" | "c";
  readonly operand: Bound;
  /** How it lies: as y does, one value for each channel, or otherwise. */
  readonly lies: "dense" | "channel" | undefined;
}

/** The operands that the expression of an elementwise launch uses. */
function operandsOf({ reads, params, holes }: Recorded): Operand[] {
  const p = params as MapParams;
  return (["a", "b", "c"] as const).flatMap((name, i) =>
    uses(String(holes.f), name) ? [{ name, operand: reads[i]!, lies: lieOf(p, p[`${name}0`]) }] : [],
  );
}

function lieOf({ axes, shape0, length }: MapParams, strides: MapParams["a0"]): Operand["lies"] {
  if (axes > 2) return undefined;
  if (axes === 2 && strides[0] === 1 && strides[1] === 0) return "channel";
  return strides[0] === 1 && (axes === 1 || strides[1] === shape0[0]) && length > 0 ? "dense" : undefined;
}

const isSame = (a: Bound, b: Bound): boolean => a.storage === b.storage && a.at?.offset === b.at?.offset;

const uses = (expression: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(expression);

/** Replace names in an expression, all at once. */
const substitute = (expression: string, by: Readonly<Record<string, string>>): string =>
  expression.replace(new RegExp(`\\b(${Object.keys(by).join("|")})\\b`, "g"), (name) => by[name]!);

/** Operands that appear several times repeat what is merged into them; longer than this, they do not pay. */
const LONGEST = 600;

/** Do `second` in the epilogue of `first`. */
function intoEpilogue(first: Merged, second: Recorded): Merged | undefined {
  const { kernel, params, holes } = first;
  const y = first.writes[0]!;
  const z = second.writes[0]!;
  const channels = kernel.epilogue?.(params);
  const p = second.params as MapParams;
  if (channels === undefined || y.size !== p.length || y.dtype !== z.dtype) return undefined;
  // WGSL has no word for numbers that are not finite.
  const isSaid = (name: "s" | "t") => !uses(String(second.holes.f), name) || isFinite32(p[name]);
  if (!isSaid("s") || !isSaid("t")) return undefined;
  // The function `power` is the elementwise shaders' own.
  if (uses(String(second.holes.f), "power")) return undefined;
  const before = String(holes.epilogue ?? "value");
  // The last two reads of a kernel with an epilogue are for its operands.
  const reads = [...first.reads];
  const places = [reads.length - 2, reads.length - 1] as const;
  const taken = places.map((place, k) => (new RegExp(`(dense|channel)${k}\\b`).test(before) ? place : -1));
  const types: Record<string, string> = {};
  const by: Record<string, string> = scalarsOf(p);
  for (const { name, operand, lies } of operandsOf(second)) {
    if (operand.storage === y.storage) {
      if (lies !== "dense") return undefined;
      by[name] = `(${before})`;
      continue;
    }
    if (!lies || (lies === "channel" && p.shape0[0] !== channels)) return undefined;
    if (operand.dtype !== "f32" && operand.dtype !== "f16") return undefined;
    const same = taken.findIndex((place) => place >= 0 && isSame(reads[place]!, operand));
    const k = same >= 0 ? same : taken.indexOf(-1);
    if (k < 0) return undefined;
    taken[k] = places[k]!;
    reads[places[k]!] = operand;
    types[`E${k}`] = operand.dtype;
    by[name] = lies === "dense" ? `dense${k}(i)` : `channel${k}(o)`;
  }
  const epilogue = substitute(String(second.holes.f), by);
  if (epilogue.length > LONGEST) return undefined;
  const writes = [z, ...first.writes.slice(1)];
  return { ...first, reads, writes, holes: { ...holes, ...types, epilogue } };
}

/** The numbers of an elementwise launch, as the shader has to say them. */
function scalarsOf({ s, t }: MapParams): Record<string, string> {
  const said = (bits: number) => `V(bitcast<f32>(0x${(bits >>> 0).toString(16)}u))`;
  return { s: said(s), t: said(t) };
}

/** Whether the float32 of these bits is finite. */
const isFinite32 = (bits: number): boolean => (bits & 0x7f800000) !== 0x7f800000;

/** Do both in one elementwise launch, which walks as `first` does. */
function intoMap(first: Merged, second: Recorded): Merged | undefined {
  const p = first.params as MapParams;
  const y = first.writes[0]!;
  // What is made whole by being stored has to be stored.
  if (!isPlainMap(first) || isInteger(y.dtype)) return undefined;
  const own = String(first.holes.f);
  const operands = operandsOf(second);
  if (operands.some(({ lies }) => lies !== "dense") || second.params.length !== p.length) return undefined;
  if (["s", "t"].some((name) => uses(String(second.holes.f), name))) return undefined;
  const reads = [...first.reads];
  const types: Record<string, string> = {};
  const params: Record<string, MapParams["a0"]> = {};
  const free = (["a", "b", "c"] as const).filter((name) => !uses(own, name));
  const by: Record<string, string> = {};
  for (const { name, operand } of operands) {
    if (operand.storage === y.storage) {
      by[name] = `(${own})`;
      continue;
    }
    const known = operandsOf(first).find((other) => other.lies === "dense" && isSame(other.operand, operand));
    const slot = known?.name ?? free.shift();
    if (!slot) return undefined;
    reads["abc".indexOf(slot)] = operand;
    types[slot.toUpperCase()] = operand.dtype;
    if (!known) Object.assign(params, denseStrides(p, slot));
    by[name] = slot;
  }
  const f = substitute(String(second.holes.f), by);
  if (f.length > LONGEST) return undefined;
  const { writes } = second;
  const held: Holes = { A: "f32", B: "f32", C: "f32", ...first.holes, ...types, Y: writes[0]!.dtype };
  const plain = [held.A, held.B, held.C, held.Y].every((type) => type === "f32");
  return {
    ...first,
    reads,
    params: { ...p, ...params },
    writes,
    holes: { ...(plain ? {} : held), f },
  };
}

/** Strides of an operand that lies as y does, for the axes that a launch walks along. */
function denseStrides({ shape0, shape1 }: MapParams, slot: string): Record<string, MapParams["a0"]> {
  let stride = 1;
  const [near, far] = [shape0, shape1].map((shape) =>
    shape.map((side) => {
      const own = stride;
      stride *= side;
      return own;
    }),
  ) as unknown as [MapParams["a0"], MapParams["a0"]];
  return { [`${slot}0`]: near, [`${slot}1`]: far };
}
