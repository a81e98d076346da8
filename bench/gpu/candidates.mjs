import { choose, fits } from "@shadegrad/kernels-wgsl";
import { sumPartials } from "@shadegrad/kernels-wgsl/conv2d";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {import("@shadegrad/kernels-wgsl").Kernel<any>} Kernel
 * @typedef {import("@shadegrad/kernels-wgsl").Variant<any>} Variant
 * @typedef {NonNullable<Kernel["variants"]["gpu"]>[number]} AnyVariant
 *
 * @typedef {object} Candidate a way to compute a kernel's result
 * @property {string} name
 * @property {boolean} chosen whether it is what the kernel would choose
 * @property {{ kernel: Kernel, params: any, buffers: string[], holes?: any, variant?: string }[]} launches
 * @property {number} partial elements of memory between them
 */

/** Tiles beyond those that the kernels have, to be measured. */
const TILES = [
  [128, 128, 16, 8, 8],
  [128, 64, 16, 8, 8],
  [64, 64, 32, 8, 4],
  [64, 64, 16, 8, 4],
  [64, 64, 16, 4, 4],
  [32, 64, 32, 4, 4],
  [128, 64, 32, 8, 4],
  [128, 128, 32, 8, 8],
  [64, 128, 16, 8, 8],
  [64, 32, 16, 4, 4],
  [64, 16, 16, 4, 4],
  [128, 32, 16, 8, 4],
].map(([TILE_M = 0, TILE_N = 0, TILE_K = 0, ROWS = 0, COLS = 0]) => ({ TILE_M, TILE_N, TILE_K, ROWS, COLS }));

const MOST_SPLITS = 32;

/**
 * Candidates of a kernel to measure: its own variants, and its tiles with other sizes and splits.
 *
 * @param {Device} device
 * @param {Kernel} kernel
 * @param {any} params
 * @param {{ holes?: any, baked?: boolean, splits?: boolean, rows: number, columns: number, depth: number }} options
 * @returns {Candidate[]}
 */
export function candidatesOf(
  { adapter },
  kernel,
  params,
  { holes = {}, baked, splits, rows, columns, depth },
) {
  const buffers = operandsOf(kernel);
  const chosen = choose(kernel, params, adapter, holes);
  const onMatrices = adapter.matrixUnits?.variantsOf(kernel)?.variants ?? [];
  const fitting = [...(kernel.variants.gpu ?? []), ...onMatrices].filter((variant) =>
    fits(variant, params, adapter, holes),
  );
  /** @type {Candidate[]} */
  const own = fitting.map(({ name }) => ({
    ...{ name, chosen: name === chosen.name, partial: 0 },
    launches: [{ kernel, params, buffers, holes, variant: name }],
  }));
  const tiled = fitting.find(isTiled);
  if (!tiled) return own;
  const tiles = TILES.filter((tile) => isUsable(tile, columns, adapter)).flatMap((tile) => {
    const count = Math.ceil(rows / tile.TILE_M) * Math.ceil(columns / tile.TILE_N);
    const name = `${tile.TILE_M}×${tile.TILE_N}×${tile.TILE_K}`;
    const label = `${name} ${tile.ROWS}×${tile.COLS}`;
    const variant = { ...tiled, name, holes: { ...tiled.holes, ...tile } };
    const plain = single(withVariant(kernel, variant), params, holes, buffers, label);
    const more = baked
      ? [
          single(
            withVariant(kernel, { ...variant, source: bake(tiled.source, kernel, params) }),
            ...[params, holes, buffers, `${label} baked`],
          ),
        ]
      : [];
    const parts = splits ? splitsOf(count, depth, tile) : [];
    return [
      plain,
      ...more,
      ...parts.map((n) => split(kernel, variant, params, holes, n, label, rows * columns)),
    ];
  });
  return [...own, ...tiles];
}

/** Names of the bindings of a launch without an epilogue. @param {Kernel} kernel */
export const operandsOf = ({ reads, writes }) =>
  [...reads, ...writes].filter((name) => name !== "e0" && name !== "e1");

/** True if a variant is one of the tiles without matrix units. @type {(variant: AnyVariant) => variant is Variant} */
const isTiled = (variant) => "source" in variant && variant.holes?.ROWS !== undefined;

function isUsable({ TILE_M, TILE_N, TILE_K, ROWS, COLS }, columns, adapter) {
  const threads = (TILE_M / ROWS) * (TILE_N / COLS);
  return (
    4 * TILE_K * (TILE_M + TILE_N + 4) <= adapter.workgroupMemory &&
    threads <= adapter.workgroupThreads &&
    TILE_N < 2 * Math.max(16, columns) &&
    (TILE_N >= Math.min(64, columns) || TILE_N >= 64)
  );
}

/** Splits that give some 128 to 1,100 workgroups, none with less than four slices. */
function splitsOf(count, depth, { TILE_K }) {
  const all = [2, 4, 5, 8, 12, 16, 24, MOST_SPLITS];
  return all.filter((n) => n * count >= 128 && n * count <= 1100 && depth / n >= 4 * TILE_K);
}

/** @returns {Kernel} */
const withVariant = (kernel, variant) => ({ ...kernel, variants: { plain: variant } });

/** @returns {Candidate} */
const single = (kernel, params, holes, buffers, name) => ({
  ...{ name, chosen: false, partial: 0 },
  launches: [{ kernel, params, buffers, holes }],
});

/** @returns {Candidate} */
function split(kernel, variant, params, holes, n, label, length) {
  const partials = withVariant(kernel, {
    ...variant,
    holes: { ...variant.holes, SPLIT: true, Out: "f32" },
    workgroups: (p, h) => [...variant.workgroups(p, h).slice(0, 2), n],
  });
  const reads = kernel.reads.slice(0, 2);
  return {
    ...{ name: `${label} /${n}`, chosen: false, partial: n * length },
    launches: [
      { kernel: partials, params, holes, buffers: [...reads, "partial"] },
      {
        kernel: sumPartials,
        params: { length, splits: n },
        holes: holes.Elem ? { Elem: holes.Elem } : {},
        buffers: ["partial", kernel.writes[0] ?? ""],
      },
    ],
  };
}

/** The shader with its parameters as constants. */
function bake(source, kernel, params) {
  const members = Object.entries(kernel.params).map(([name, type]) =>
    type === "vec4u" ? `vec4u(${params[name].join("u,")}u)` : `${params[name]}u`,
  );
  return source.replace(
    /@group\(0\) @binding\(\d\) var<uniform> p: Params;/,
    `const p = Params(${members});`,
  );
}
