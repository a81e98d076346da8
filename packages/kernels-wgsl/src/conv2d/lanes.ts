import { type Adapter, spread, type Variant } from "../kernel.ts";
import type { Conv2dParams } from "./params.ts";

/** Rows of a tile that each lane loads; it holds four columns of them all. */
const BLOCKS = 3;

/** The shaders of a direction: for channels in fours, and for any. */
interface Shaders<P> {
  readonly lanes4: string;
  readonly lanes: string;
  /** Beyond channels in fours, what `lanes4` demands. */
  fits4?(p: P): boolean;
  /** How many tiles of so many outputs cover the result, in either shader. */
  tiles(p: P, rows: number, cols: number): number;
  tilesOfAny?(p: P, rows: number, cols: number): number;
}

/** Register tiles over subgroups of 8 (llvmpipe) and of 4 (SwiftShader). */
export function overLanes<P extends Conv2dParams>({
  lanes4,
  lanes,
  fits4 = () => true,
  tiles,
  tilesOfAny = tiles,
}: Shaders<P>): [Variant<P>, ...Variant<P>[]] {
  const of = (LANES: number, suffix: string): [Variant<P>, Variant<P>] => [
    {
      name: `lanes4${suffix}`,
      source: lanes4,
      holes: { LANES },
      needs: ["subgroups"],
      fits: (p, adapter) => hasLanes(adapter, LANES) && inFours(p) && fits4(p),
      workgroups: (p) => spread(tiles(p, LANES * BLOCKS, LANES * 4)),
    },
    {
      name: `lanes${suffix}`,
      source: lanes,
      holes: { LANES },
      needs: ["subgroups"],
      fits: (_, adapter) => hasLanes(adapter, LANES),
      workgroups: (p) => spread(tilesOfAny(p, LANES * BLOCKS, LANES * 4)),
    },
  ];
  return [...of(8, ""), ...of(4, " of 4")];
}

const hasLanes = ({ subgroupSize: [min, max] }: Adapter, lanes: number) => min === lanes && max === lanes;

const inFours = ({ C, O, groups }: Conv2dParams) => (C / groups) % 4 === 0 && (O / groups) % 4 === 0;
