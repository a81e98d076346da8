import { EPILOGUE_OPERANDS, type Holes, type OperandKind, substitute, uses } from "@shadegrad/kernels-wgsl";
import { type MapParams, map } from "@shadegrad/kernels-wgsl/map";
import { isInteger } from "../core/dtype.ts";
import type { Recorded, TensorBinding } from "../core/recorder.ts";
import type { Storage } from "../core/storage.ts";
import { isSameBinding, storagesOf } from "./bindings.ts";
import { countReaders } from "./liveness.ts";

/** A launch with others merged into it. */
export interface Merged extends Recorded {
  /** Number of elementwise launches that were merged into it. */
  readonly mergedCount?: number;
}

/**
 * Merge elementwise launches into the launch that makes one of their operands, where nobody else reads
 * that: into the epilogue of a kernel that can have one, or into the expression of another elementwise launch.
 *
 * The two become one at the place of the second, where all operands are computed.
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

/** True if a launch in between reads or writes one of these tensors. */
function isTouched(writes: Recorded["writes"], between: readonly (Recorded | undefined)[]): boolean {
  if (writes.length === 0) return false;
  const written = new Set(writes.flatMap(storagesOf));
  return between.some((launch) =>
    [...(launch?.reads ?? []), ...(launch?.writes ?? [])]
      .flatMap(storagesOf)
      .some((storage) => written.has(storage)),
  );
}

/** Indices of the launches that make an elementwise launch's operands, the last one first. */
function makersOf(launch: Recorded, makers: ReadonlyMap<Storage, number>): number[] {
  if (!isPlainMap(launch)) return [];
  const places = operandsOf(launch).map(({ operand }) => makers.get(operand.storage) ?? -1);
  return [...new Set(places)].filter((place) => place >= 0).sort((a, b) => b - a);
}

/** True for an elementwise launch in floats with the same parameters at each call. */
const isPlainMap = ({ kernel, paramsAtCall, holes, writes }: Recorded): boolean =>
  kernel.name === map.name && !paramsAtCall && (holes.S ?? "f32") === "f32" && writes[0]!.allocated;

/** An operand of an elementwise launch. */
interface MapOperand {
  /** Name in the expression. */
  readonly name: "a" | "b" | "c";
  readonly operand: TensorBinding;
  /** Layout: that of y, one value for each channel, or undefined for another. */
  readonly layout: OperandKind | undefined;
}

/** The operands that the expression of an elementwise launch uses. */
function operandsOf({ reads, params, holes }: Recorded): MapOperand[] {
  const p = params as MapParams;
  return (["a", "b", "c"] as const).flatMap((name, i) =>
    uses(String(holes.f), name) ? [{ name, operand: reads[i]!, layout: layoutOf(p, p[`${name}0`]) }] : [],
  );
}

function layoutOf({ axes, shape0, length }: MapParams, strides: MapParams["a0"]): MapOperand["layout"] {
  if (axes > 2) return undefined;
  if (axes === 2 && strides[0] === 1 && strides[1] === 0) return "channel";
  return strides[0] === 1 && (axes === 1 || strides[1] === shape0[0]) && length > 0 ? "dense" : undefined;
}

/** Operands that appear several times repeat what is merged into them; longer than this, they do not pay. */
const LONGEST = 600;

/** Merge `second` into the epilogue of `first`. */
function intoEpilogue(first: Merged, second: Recorded): Merged | undefined {
  const { kernel, params, reads, epilogue = { expression: "value", operands: [] } } = first;
  const y = first.writes[0]!;
  const channels = kernel.epilogue?.(params);
  const p = second.params as MapParams;
  const f = String(second.holes.f);
  if (channels === undefined || y.size !== p.length) return undefined;
  if (y.dtype !== second.writes[0]!.dtype) return undefined;
  // WGSL has no literals for infinities and NaN; the function `power` exists in elementwise shaders alone.
  const isSaid = (name: "s" | "t") => !uses(f, name) || isFinite32(p[name]);
  if (!isSaid("s") || !isSaid("t") || uses(f, "power")) return undefined;
  const inputs = reads.slice(0, reads.length - epilogue.operands.length);
  const tensors = reads.slice(inputs.length);
  const operands = [...epilogue.operands];
  const by: Record<string, string> = scalarsOf(p);
  for (const { name, operand, layout: kind } of operandsOf(second)) {
    if (operand.storage === y.storage) {
      if (kind !== "dense") return undefined;
      by[name] = `(${epilogue.expression})`;
      continue;
    }
    if (!kind || (kind === "channel" && p.shape0[0] !== channels)) return undefined;
    const { dtype: type } = operand;
    if (type !== "f32" && type !== "f16") return undefined;
    const same = tensors.findIndex((other, k) => isSameBinding(other, operand) && operands[k]!.kind === kind);
    const k = same >= 0 ? same : tensors.push(operand) - 1;
    operands[k] = { kind, type };
    by[name] = `e${k}`;
  }
  const expression = substitute(f, by);
  if (operands.length > EPILOGUE_OPERANDS || expression.length > LONGEST) return undefined;
  return {
    ...first,
    reads: [...inputs, ...tensors],
    writes: [second.writes[0]!, ...first.writes.slice(1)],
    epilogue: { expression, operands },
  };
}

/** Numbers of an elementwise launch as WGSL expressions. */
function scalarsOf({ s, t }: MapParams): Record<string, string> {
  const said = (bits: number) => `Vec(bitcast<f32>(0x${(bits >>> 0).toString(16)}u))`;
  return { s: said(s), t: said(t) };
}

/** True if the float32 of these bits is finite. */
const isFinite32 = (bits: number): boolean => (bits & 0x7f800000) !== 0x7f800000;

/** Merge both into one elementwise launch with the shape and strides of `first`. */
function intoMap(first: Merged, second: Recorded): Merged | undefined {
  const p = first.params as MapParams;
  const y = first.writes[0]!;
  // Storing rounds, to integers or to halves, of which large ones become infinite: fusing would skip it.
  const isRounded = isInteger(y.dtype) || (y.dtype === "f16" && second.writes[0]!.dtype !== "f16");
  if (!isPlainMap(first) || isRounded) return undefined;
  const own = String(first.holes.f);
  const operands = operandsOf(second);
  if (operands.some(({ layout }) => layout !== "dense") || second.params.length !== p.length)
    return undefined;
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
    const known = operandsOf(first).find(
      (other) => other.layout === "dense" && isSameBinding(other.operand, operand),
    );
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

/** Strides of an operand with y's layout, for the axes of a launch. */
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
