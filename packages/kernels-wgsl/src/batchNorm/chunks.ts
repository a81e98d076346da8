import { type ParamValues, spread, type Variant, type Variants } from "../launch/kernel.ts";

/** Rows M = N·H·W, in `splits` chunks of `chunk`, and channels C. */
export type BatchNormParams = Record<"M" | "C" | "splits" | "chunk", number>;

const LONGEST = 4096; // rows that one invocation adds up in sequence, for rounding's sake

/**
 * Division of the sums over `rows`: so that a GPU has enough to do, or, in software, that little
 * is left to do for the second pass.
 */
export function batchNormParams(rows: number, channels: number, software = false): BatchNormParams {
  const most = software ? Math.min(32, 4096 / channels) : Math.min(1024, 131_072 / channels);
  const busy = Math.ceil(Math.min(most, rows / 16));
  const chunk = Math.min(LONGEST, Math.ceil(rows / Math.max(1, busy))) || 1;
  return { M: rows, C: channels, splits: Math.ceil(rows / chunk), chunk };
}

const THREADS = 64;
const FOUR = { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" };
const isByFour = ({ C }: { C: number }) => C % 4 === 0;

/** An invocation walks down one chunk, four channels at a time, or one where they cannot be divided by four. */
export function byChunk<P extends ParamValues & { C: number; splits: number }>(source: string): Variants<P> {
  const workgroups = (width: number) => (p: P) => spread(Math.ceil((p.splits * p.C) / width / THREADS));
  const channels4 = { name: "channels4", source, holes: FOUR, fits: isByFour, workgroups: workgroups(4) };
  return {
    plain: { name: "channels", source, workgroups: workgroups(1) },
    gpu: [channels4],
    rasteriser: [channels4],
  };
}

/** One pass over the partial sums of each channel: a tree of barriers, or, where those are dear, a walk. */
export const finishing = <P extends ParamValues & { C: number }>(
  serial: string,
  tree: string,
): Variants<P> => ({
  plain: { name: "serial", source: serial, workgroups: ({ C }) => [Math.ceil(C / THREADS), 1, 1] },
  gpu: [{ name: "tree", source: tree, workgroups: ({ C }) => spread(C) }],
});

/** An invocation walks down DEPTH rows, as `byChunk`; the kernel has an epilogue. */
export function byRows<P extends ParamValues & { M: number; C: number }>(source: string): Variants<P> {
  const holes = { ...FOUR, Bits: "vec4u", StoredVec0: "vec4<E0>", StoredVec1: "vec4<E1>" };
  const workgroups =
    (width: number): Variant<P>["workgroups"] =>
    ({ M, C }, { DEPTH = 16 }) =>
      spread(Math.ceil((Math.ceil(M / Number(DEPTH)) * C) / width / THREADS));
  const channels4 = { name: "channels4", source, holes, fits: isByFour, workgroups: workgroups(4) };
  const rows64 = { ...channels4, name: "channels4 rows64", holes: { ...holes, DEPTH: 64 } };
  return {
    plain: { name: "channels", source, workgroups: workgroups(1) },
    gpu: [channels4, rows64],
    // A workgroup costs a software rasteriser as much as a thousand elements.
    rasteriser: [rows64, channels4],
  };
}

export const CHUNKS = { M: "u32", C: "u32", splits: "u32", chunk: "u32" } as const;
