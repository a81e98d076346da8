import { strided, type Variant, type Variants } from "./kernel.ts";

type Length = { length: number };

/**
 * The variants of a shader that strides over `length` / `LANES` elements of type `Value`: four at a
 * time where the length allows, which halves the time on software adapters and GPUs alike.
 */
export const lanes = <P extends Length>(source: string): Variants<P> => {
  const vec4: Variant<P> = {
    name: "vec4",
    source,
    holes: { LANES: 4, Value: "vec4f" },
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
