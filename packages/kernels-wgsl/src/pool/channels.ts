import { spread, type Variant, type Variants } from "../launch/kernel.ts";

/** N batch · H W image · C channels · R S window · P Q output. */
export type PoolParams = Record<
  | "N"
  | "H"
  | "W"
  | "C"
  | "R"
  | "S"
  | "P"
  | "Q"
  | "strideRows"
  | "strideCols"
  | "padTop"
  | "padLeft"
  | "dilationRows"
  | "dilationCols",
  number
>;

export const params = {
  N: "u32",
  H: "u32",
  W: "u32",
  C: "u32",
  R: "u32",
  S: "u32",
  P: "u32",
  Q: "u32",
  strideRows: "u32",
  strideCols: "u32",
  padTop: "u32",
  padLeft: "u32",
  dilationRows: "u32",
  dilationCols: "u32",
} as const;

const FOUR = { WIDTH: 4, Vec: "vec4f", StoredVec: "vec4<Elem>" };
const THREADS = 64;
const STRIP = 8;

/** An invocation takes four channels, or one where they cannot be divided by four. */
/* @__NO_SIDE_EFFECTS__ */ // else a page has the shaders of all kernels of a module, used or not
export function byChannels(
  source: string,
  holes: Variant["holes"],
  invocations: (p: PoolParams) => number,
): Variants<PoolParams> {
  const channels4: Variant<PoolParams> = {
    name: "channels4",
    source,
    holes: { ...FOUR, ...holes },
    fits: ({ C }) => C % 4 === 0,
    workgroups: (p) => spread(Math.ceil(invocations(p) / 4 / THREADS)),
  };
  return {
    plain: { name: "channels", source, workgroups: (p) => spread(Math.ceil(invocations(p) / THREADS)) },
    gpu: [channels4],
    rasteriser: [channels4],
  };
}

export const outputs = ({ N, P, Q, C }: PoolParams) => N * P * Q * C;
export const inputs = ({ N, H, W, C }: PoolParams) => N * H * W * C;
export const outputStrips = ({ N, P, Q, C }: PoolParams) => N * P * Math.ceil(Q / STRIP) * C;
export const inputStrips = ({ N, H, W, C }: PoolParams) => N * H * Math.ceil(W / STRIP) * C;
