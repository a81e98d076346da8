import type { Quad } from "../axes.ts";
import type { Kernel, Variant } from "../launch/kernel.ts";
import { multiplesOf4 } from "../launch/tiles.ts";
import source from "./pack.wgsl?raw";

export type PackParams = Record<
  "start0" | "start1" | "length0" | "length1" | "space0" | "space1" | "splits0" | "splits1",
  Quad
> & { count: number };

/** Place of a part, in elements: its first one, how many it has, and how many with its padding. */
export interface Part {
  readonly start: number;
  readonly length: number;
  readonly space: number;
  /** Partial sums that the part is given as. */
  readonly splits: number;
}

/** Parts that one launch packs: with what it writes, as many buffers as every adapter binds. */
export const PACKED = 7;

/** Workgroups whose invocations take `width` elements in each of their turns. */
const byTurns =
  (width: number): Variant<PackParams>["workgroups"] =>
  ({ space0, space1, count }) => [
    Math.min(Math.ceil(Math.max(...space0, ...space1) / (width * THREADS * TURNS)), 1024),
    count,
    1,
  ];

/** Copy tensors, or sum their partial sums, to their places in one; their padding becomes 0. Without parts, repeat one. */
export const pack: Kernel<PackParams> = {
  name: "pack",
  reads: Array.from({ length: PACKED }, (_, k) => `part${k}`),
  writes: ["flat"],
  types: {
    flat: "f32",
    ...Object.fromEntries(Array.from({ length: PACKED }, (_, k) => [`part${k}`, "f32"])),
  },
  params: {
    ...{ start0: "vec4u", start1: "vec4u", length0: "vec4u", length1: "vec4u" },
    ...{ space0: "vec4u", space1: "vec4u", splits0: "vec4u", splits1: "vec4u", count: "u32" },
  },
  variants: {
    plain: { name: "strided", source, workgroups: byTurns(1) },
    rasteriser: [
      // The copies of 58 gradients take 1.2 ms in place of 2.4.
      {
        name: "vec4",
        source,
        holes: { WIDTH: 4, Vec: "vec4f" },
        fits: (p) => partsOf(p).every(({ start, length, space }) => multiplesOf4(start, length, space)),
        workgroups: byTurns(4),
      },
    ],
  },
  cost: ({ length0, length1, splits0, splits1 }) => {
    const lengths = [...length0, ...length1];
    const splits = [...splits0, ...splits1];
    const read = lengths.reduce((sum, length, k) => sum + length * splits[k]!, 0);
    return { flops: read, bytes: 4 * (read + lengths.reduce((sum, length) => sum + length, 0)) };
  },
};

const THREADS = 64;
const TURNS = 4; // that an invocation takes

/** @throws RangeError if there are none, or more than one launch packs. */
export function packParams(parts: readonly Part[]): PackParams {
  if (parts.length < 1 || parts.length > PACKED) {
    throw new RangeError(`pack: ${parts.length} parts; a launch packs 1 to ${PACKED}.`);
  }
  const four = (name: keyof Part, first: number): Quad =>
    [0, 1, 2, 3].map((k) => parts[first + k]?.[name] ?? 0) as unknown as Quad;
  return {
    start0: four("start", 0),
    start1: four("start", 4),
    length0: four("length", 0),
    length1: four("length", 4),
    space0: four("space", 0),
    space1: four("space", 4),
    splits0: four("splits", 0),
    splits1: four("splits", 4),
    count: parts.length,
  };
}

/** The parts of a launch, as they were given to `packParams`. */
export function partsOf(p: PackParams): Part[] {
  const of = (name: keyof Part, k: number) => (k < 4 ? p[`${name}0`] : p[`${name}1`])[k % 4]!;
  return Array.from({ length: p.count }, (_, k) => ({
    ...{ start: of("start", k), length: of("length", k), space: of("space", k), splits: of("splits", k) },
  }));
}

/** The definition, in float64. */
export function packReference(
  contents: readonly ArrayLike<number>[],
  parts: readonly Part[],
  flat: ArrayLike<number>,
): Float64Array {
  const after = Float64Array.from(flat);
  parts.forEach(({ start, length, space, splits }, k) => {
    after.fill(0, start, start + space);
    for (let i = 0; i < splits * length; i++) after[start + (i % length)]! += contents[k]![i]!;
  });
  return after;
}
