import { type Kernel, spread, type Variant } from "../launch/kernel.ts";
import columns from "./columns.wgsl?raw";
import expandSource from "./expand.wgsl?raw";
import rows from "./rows.wgsl?raw";

export type ReduceParams = Record<
  "outer" | "reduced" | "inner" | "splits" | "chunk" | "initial" | "scale" | "lastWeight",
  number
>;

/** Holes of the variants whose invocations take four neighbours at a time. */
const QUADS = {
  WIDTH: 4,
  Vec: "vec4f",
  Bits: "vec4u",
  StoredVec: "vec4<Elem>",
  ResultVec: "vec4<Result>",
};

const columns4: Variant<ReduceParams> = {
  name: "columns4",
  source: columns,
  holes: QUADS,
  fits: ({ inner }) => inner % 4 === 0,
  workgroups: ({ outer, splits, inner }) => spread(Math.ceil((outer * splits * inner) / 4 / 64)),
};

/**
 * y[o, s, i] = scale · combine over k of term(x[o, k, i]), for each chunk s of k.
 *
 * Holes: `term`, an expression in x; `combine`, one in a and b, associative and commutative, of
 * which `initial` is the neutral element; `neutral`, that element where no f32 is; `MEAN`, to divide a sum by
 * the number of its terms and give back what rounding took; `Result`, the element type of y.
 */
export const reduce: Kernel<ReduceParams> = {
  name: "reduce",
  reads: ["x"],
  writes: ["y"],
  types: { y: ["Result", "Elem"] },
  params: {
    outer: "u32",
    reduced: "u32",
    inner: "u32",
    splits: "u32",
    chunk: "u32",
    initial: "f32",
    scale: "f32",
    lastWeight: "f32",
  },
  variants: {
    plain: {
      name: "columns",
      source: columns,
      workgroups: ({ outer, splits, inner }) => spread(Math.ceil((outer * splits * inner) / 64)),
    },
    gpu: [
      columns4,
      {
        name: "rows",
        source: rows,
        fits: ({ inner }) => inner === 1,
        workgroups: ({ outer, splits }) => spread(outer * splits),
      },
    ],
    // A barrier costs a software rasteriser more than the whole walk along a row.
    rasteriser: [columns4],
  },
  prefer: ({ reduced, inner, splits, chunk }) =>
    inner === 1 && (splits > 1 ? chunk : reduced) < 64 ? "columns" : undefined,
  cost: ({ outer, reduced, inner, splits }) => ({
    flops: outer * reduced * inner,
    bytes: 4 * outer * inner * (reduced + splits),
  }),
};

/** For `combine`: the largest or smallest, or NaN where there is one, which the built-in functions leave open. */
export const NAN_OR = (f: "max" | "min"): string =>
  `select(${f}(a, b), a + b, (magnitude(a) > Bits(0x7f800000u)) | (magnitude(b) > Bits(0x7f800000u)))`;

/** Parameters that all passes of a reduction share. */
export interface Reduction {
  readonly initial: number;
  /** Multiplies the result. */
  readonly scale: number;
}

/**
 * Parameters of the passes that reduce `[outer, reduced, inner]` to `[outer, inner]`, each over what
 * the one before left: long sums are cut, to keep every invocation busy and rounding small. For means, the last
 * chunk of a row counts by its length.
 */
export function reducePasses(
  [outer, reduced, inner]: readonly [number, number, number],
  { initial, scale }: Reduction = { initial: 0, scale: 1 },
  lastWeight = 1,
): ReduceParams[] {
  const chunk = Math.max(1, Math.ceil(reduced / splitsOf(outer, reduced, inner)));
  const splits = Math.max(1, Math.ceil(reduced / chunk));
  const pass = { outer, reduced, inner, splits, chunk, initial, lastWeight };
  if (splits === 1) return [{ ...pass, scale }];
  const lastChunk = reduced - (splits - 1) * chunk - 1 + lastWeight;
  return [
    { ...pass, scale: 1 },
    ...reducePasses([outer, splits, inner], { initial, scale }, lastChunk / chunk),
  ];
}

const INVOCATIONS = 32_768; // fill a large GPU
const LONGEST = 1024; // terms that one invocation may add in sequence

function splitsOf(outer: number, reduced: number, inner: number): number {
  if (reduced <= (inner === 1 ? 2048 : 256)) return 1;
  const busy = Math.min(INVOCATIONS / (outer * inner), Math.sqrt(reduced));
  return Math.ceil(Math.max(1, busy, reduced / LONGEST));
}

export type ExpandParams = Record<"outer" | "reduced" | "inner" | "scale", number>;

const expand4: readonly Variant<ExpandParams>[] = [
  {
    name: "columns4",
    source: expandSource,
    holes: { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" },
    fits: ({ inner }) => inner % 4 === 0,
    workgroups: ({ outer, reduced, inner }) =>
      spread(Math.ceil((outer * Math.ceil(reduced / 16) * inner) / 4 / 64)),
  },
];

/** y[o, k, i] = scale · x[o, i]: what a sum, or with a scale a mean, was reduced from, as its gradient needs it. */
export const expand: Kernel<ExpandParams> = {
  name: "expand",
  reads: ["x"],
  writes: ["y"],
  params: { outer: "u32", reduced: "u32", inner: "u32", scale: "f32" },
  variants: {
    plain: {
      name: "columns",
      source: expandSource,
      workgroups: ({ outer, reduced, inner }) =>
        spread(Math.ceil((outer * Math.ceil(reduced / 16) * inner) / 64)),
    },
    gpu: expand4,
    rasteriser: expand4,
  },
  cost: ({ outer, reduced, inner }) => ({ flops: 0, bytes: 4 * outer * inner * (reduced + 1) }),
};

/** The definition, in float64. */
export function expandReference(
  x: ArrayLike<number>,
  { outer, reduced, inner, scale }: ExpandParams,
): Float64Array {
  const at = (j: number) => Math.floor(j / inner / reduced) * inner + (j % inner);
  return Float64Array.from({ length: outer * reduced * inner }, (_, j) => x[at(j)]! * scale);
}

/** The definition, in float64. */
export function reduceReference(
  x: ArrayLike<number>,
  { outer, reduced, inner, splits, chunk, initial, scale }: ReduceParams,
  combine: (a: number, b: number) => number = (a, b) => a + b,
): Float64Array {
  const y = new Float64Array(outer * splits * inner).fill(initial);
  for (let o = 0; o < outer; o++)
    for (let k = 0; k < reduced; k++)
      for (let i = 0; i < inner; i++) {
        const at = (o * splits + Math.floor(k / chunk)) * inner + i;
        y[at] = combine(y[at]!, x[(o * reduced + k) * inner + i]!);
      }
  return y.map((value) => value * scale);
}

/** The means of chunks, in float64. */
export function meanReference(x: ArrayLike<number>, p: ReduceParams): Float64Array {
  const { reduced, inner, splits, chunk, lastWeight } = p;
  const weight = (k: number) => (k === reduced - 1 ? lastWeight : 1);
  const along = (at: number) => Math.floor(at / inner) % reduced;
  const sums = reduceReference(
    Float64Array.from(x, (value, at) => value * weight(along(at))),
    p,
  );
  return sums.map((sum, at) => {
    const s = Math.floor(at / inner) % splits;
    const end = Math.min(reduced, (s + 1) * chunk);
    return sum / (end - s * chunk - 1 + (end === reduced ? lastWeight : 1));
  });
}
