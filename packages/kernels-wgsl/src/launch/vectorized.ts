import { type Holes, strided, type Variant, type Variants } from "./kernel.ts";

type Length = { length: number };

/**
 * The variants of a shader that strides over `length` / `WIDTH` elements of type `Vec`: four at a
 * time where the length allows, which halves the time on software adapters and GPUs alike. `holes` of four, beyond those.
 */
export const vectorized = <P extends Length>(source: string, holes: Holes = {}): Variants<P> => {
  const vec4: Variant<P> = {
    name: "vec4",
    source,
    holes: { WIDTH: 4, Vec: "vec4f", ...holes },
    fits: ({ length }) => length % 4 === 0,
    workgroups: ({ length }) => strided(length / 4, TURNS * THREADS),
  };
  return {
    plain: { name: "scalar", source, workgroups: ({ length }) => strided(length, TURNS * THREADS) },
    gpu: [vec4],
    rasteriser: [vec4],
  };
};

const THREADS = 64;
const TURNS = 16; // that an invocation takes: a workgroup costs a software rasteriser as much as a thousand elements
