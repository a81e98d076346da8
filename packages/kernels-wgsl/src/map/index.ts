import { collapse, type Quad, quads } from "../axes.ts";
import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import { multiplesOf4 } from "../launch/tiles.ts";
import channels from "./channels.wgsl?raw";
import source from "./map.wgsl?raw";
import source4 from "./map4.wgsl?raw";

export type MapParams = Record<"shape0" | "shape1" | "a0" | "a1" | "b0" | "b1" | "c0" | "c1", Quad> &
  Record<"length" | "axes" | "s" | "t", number>;

/** Workgroups whose invocations take `width` elements in each of their turns. */
const byTurns =
  (width: number): Variant<MapParams>["workgroups"] =>
  ({ length }, { THREADS = 64, TURNS = 16 }) =>
    spread(Math.ceil(length / width / Number(THREADS) / Number(TURNS)));

/** Workgroups whose invocations walk down `width` columns. */
const byColumns =
  (width: number): Variant<MapParams>["workgroups"] =>
  ({ length, shape0: [columns] }) =>
    spread(Math.ceil((Math.ceil(length / columns / 16) * columns) / width / 64));

const dense4: Variant<MapParams> = {
  name: "vec4 dense",
  source: source4,
  holes: { AXES: 1, THREADS: 256, TURNS: 4 },
  fits: (p) => hasVec4Operands(p) && isDense(p),
  workgroups: byTurns(4),
};

/** A workgroup costs a software rasteriser as much as a thousand elements. */
const dense64Turns: Variant<MapParams> = {
  ...dense4,
  name: "vec4 dense 64 turns",
  holes: { AXES: 1, TURNS: 64 },
};

const fast: readonly Variant<MapParams>[] = [
  {
    name: "vec4 channels",
    source: channels,
    holes: {
      WIDTH: 4,
      Vec: "vec4<S>",
      Bits: "vec4u",
      Reals: "vec4f",
      ...{ StoredA: "vec4<A>", StoredB: "vec4<B>", StoredC: "vec4<C>", StoredY: "vec4<Y>" },
    },
    fits: (p) => hasVec4Operands(p) && isByChannel(p),
    workgroups: byColumns(4),
  },
  { name: "channels", source: channels, fits: isByChannel, workgroups: byColumns(1) },
  {
    name: "vec4 rows",
    source: source4,
    holes: { AXES: 2 },
    fits: (p) => hasVec4Operands(p) && p.axes <= 2,
    workgroups: byTurns(4),
  },
  { name: "vec4", source: source4, fits: hasVec4Operands, workgroups: byTurns(4) },
  { name: "dense", source, holes: { AXES: 1 }, fits: isDense, workgroups: byTurns(1) },
];

/**
 * Elementwise: y = f(a, b, c, s, t), with NumPy broadcasting of the tensors a, b, c; s and t are numbers.
 *
 * Holes: `f`, an expression that must compile for numbers and for vectors of four, such as
 * `select(Vec(0), a, a > Vec(0))`; the element types `A B C Y` of the buffers; the type `S` computed in.
 */
export const map: Kernel<MapParams> = {
  name: "map",
  reads: ["a", "b", "c"],
  writes: ["y"],
  types: { a: ["A", "Elem"], b: ["B", "Elem"], c: ["C", "Elem"], y: ["Y", "Elem"] },
  params: {
    shape0: "vec4u",
    shape1: "vec4u",
    a0: "vec4u",
    a1: "vec4u",
    b0: "vec4u",
    b1: "vec4u",
    c0: "vec4u",
    c1: "vec4u",
    length: "u32",
    axes: "u32",
    s: "u32",
    t: "u32",
  },
  numbers: ["s", "t"],
  variants: {
    plain: { name: "scalar", source, workgroups: byTurns(1) },
    gpu: [dense4, dense64Turns, ...fast],
    rasteriser: [dense64Turns, dense4, ...fast],
  },
  // One operand at least; which of the three `f` uses is not known here.
  cost: ({ length }) => ({ flops: length, bytes: 8 * length }),
};

function isDense({ axes, a0, b0, c0 }: MapParams): boolean {
  return axes === 1 && a0[0] === 1 && b0[0] === 1 && c0[0] === 1;
}

/** True if a is dense, in rows along which the others repeat. */
function isByChannel({ axes, shape0: [columns], a0, b0, c0 }: MapParams): boolean {
  return (
    axes === 2 &&
    columns > 0 &&
    a0[0] === 1 &&
    a0[1] === columns &&
    [b0, c0].every(([along, down]) => along === 1 && down === 0)
  );
}

function hasVec4Operands({ shape0, a0, a1, b0, b1, c0, c1 }: MapParams): boolean {
  const operands = [
    [a0, a1],
    [b0, b1],
    [c0, c1],
  ] as const;
  return (
    multiplesOf4(shape0[0]) &&
    operands.every(
      ([[last, ...inner], outer]) => last === 0 || (last === 1 && multiplesOf4(...inner, ...outer)),
    )
  );
}

/** Parameters for operands that all have y's shape; `s` and `t` as `bits` gives them. */
export const dense = (length: number, s = 0, t = 0): MapParams => broadcast([length], [[1]], s, t);

/**
 * Parameters for broadcast operands: `shape` is y's, and each operand's strides count elements, 0
 * along an axis that it repeats; first axis first. `s` and `t` as `bits` gives them. An operand
 * without strides, which `f` does not use, gets those of the one before it, so that a variant that fits the used ones fits.
 *
 * @throws KernelError if more than 8 axes cannot be merged with their neighbours.
 */
export function broadcast(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  s = 0,
  t = 0,
): MapParams {
  const walk = collapse(shape, strides);
  const [shape0, shape1] = quads(walk.shape, 1);
  const [a, b = a, c = b] = walk.strides.map((of) => quads(of, 0));
  const length = shape.reduce((size, side) => size * side, 1);
  const operands = { a0: a![0], a1: a![1], b0: b![0], b1: b![1], c0: c![0], c1: c![1] };
  return { shape0, shape1, ...operands, length, axes: walk.shape.length, s, t };
}

/** The definition, in float64, for operands that all have y's shape. */
export function mapReference(
  f: (a: number, b: number, c: number) => number,
  a: ArrayLike<number>,
  b: ArrayLike<number> = a,
  c: ArrayLike<number> = a,
): Float64Array {
  return Float64Array.from({ length: a.length }, (_, i) => f(a[i]!, b[i]!, c[i]!));
}
