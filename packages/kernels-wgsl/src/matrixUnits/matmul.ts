import { type RoleVariants, spread, type Variant } from "../launch/kernel.ts";
import {
  hasMatrices,
  MATRIX_FEATURES,
  MATRIX_NAMES,
  MATRIX_SPLIT,
  MATRIX_TILES,
  type MatrixTileName,
  matrixTileFor,
} from "../launch/matrices.ts";
import { partsOf, splitsOf } from "../launch/tiles.ts";
import source from "../matmul/matrix.wgsl?raw";
import type { MatmulParams } from "../matmul/params.ts";
import {
  isLaidOut,
  LAYOUTS,
  type Layout,
  matmulSplit,
  outputs,
  tilesOf,
  unlessLong,
} from "../matmul/tiles.ts";

const variantOf = (tile: MatrixTileName, layout: Layout): Variant<MatmulParams> => ({
  name: `${tile}${layout.suffix}`,
  source,
  holes: { ...MATRIX_TILES[tile], A_COLUMNS: layout.A_COLUMNS, B_COLUMNS: layout.B_COLUMNS },
  needs: MATRIX_FEATURES,
  fits: (p, adapter, holes) => isLaidOut(layout, p) && hasMatrices(MATRIX_TILES[tile], adapter, holes),
  workgroups: (p, holes) => spread(tilesOf(p, holes)),
});

export const product: RoleVariants<MatmulParams> = {
  variants: LAYOUTS.flatMap((layout) => [
    ...MATRIX_NAMES.map((name) => unlessLong(variantOf(name, layout))),
    matmulSplit(variantOf(MATRIX_SPLIT, layout)),
  ]),
  prefer(p, adapter, holes) {
    const layout = LAYOUTS.find((layout) => isLaidOut(layout, p));
    const fitting = layout && matrixTileFor(p.N, (tile) => tilesOf(p, tile), adapter, holes);
    if (!fitting) return undefined;
    const name = partsOf(p.K, outputs(p)) > 1 ? MATRIX_SPLIT : fitting;
    const isSplit = name === MATRIX_SPLIT && splitsOf(tilesOf(p, MATRIX_TILES[name]), p.K, outputs(p)) > 1;
    return `${name}${layout.suffix}${isSplit ? " split" : ""}`;
  },
};
