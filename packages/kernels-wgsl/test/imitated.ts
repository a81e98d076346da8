import type { Adapter, AnyVariant, Kernel, ParamValues, Variant } from "../src/launch/kernel.ts";
import { MATRIX_FEATURES, MATRIX_UNITS } from "../src/launch/matrices.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";

/**
 * A shader that computes on matrix units, with its matrices imitated: the same values, for adapters without such units, and
 * for tools that do not know them. Operands stay in workgroup memory, and each lane has every SUBGROUP-th sum of a matrix.
 * There are one left and two right matrices at a time.
 */
export function imitated(source: string): string {
  const slices: Record<string, string> = {};
  const declared = source.matchAll(/^var<workgroup> (\w+Slice): array<\w+, ([^>]+)>;/gm);
  const lengths = new Map([...declared].map(([, slice, length]) => [slice, length]));
  const output = /var<storage, read_write> (\w+):/.exec(source)?.[1];
  // Bounds that are no constants: llvmpipe would unroll the loops of every multiplication.
  const bound = (count: string) => `min(${count}, arrayLength(&${output}) + ${count} - 1)`;
  const code = source
    .replace(/^enable [^;]*;/m, "enable f16;")
    .replace(/^diagnostic\(.*$/m, "")
    .replace(/^alias (Left|Right|Sums) = .*$/gm, "alias $1 = u32;")
    .replace(/(fn main\([^)]*(?:\([^)]*\)[^)]*)*\) \{)/, "$1 lane = thread % SUBGROUP;")
    .replace(
      /var sum(\d)(\d): Sums;/g,
      (_, i: string, j: string) => `var sum${i}${j} = ${2 * Number(i) + Number(j)}u;`,
    )
    .replace(
      /subgroupMatrixLoad<(Left|Right), (row|col)_major>\(&(\w+), /g,
      (_, type: string, major: string, slice: string) => {
        slices[type] = slice;
        return `load${type}(${major === "col"}, `;
      },
    )
    .replace(/subgroupMatrixMultiplyAccumulate/g, "multiplyAccumulate")
    .replace(/subgroupMatrixStore<row_major>\(&stage, staged, (\w+), MATRIX_N\)/g, "storeMatrix(staged, $1)")
    .replace(
      /\b(\w+Slice)\[([^\]]+)\] = /g,
      (_, slice: string, at: string) => `${slice}[inside(${at}, ${lengths.get(slice)})] = `,
    );
  if (!slices.Left) return source;
  return `${inLoops(code, bound)}
struct Matrix { offset: u32, stride: u32, isColumns: bool }
const SUMS = MATRIX_M * MATRIX_N / SUBGROUP;
var<private> lane: u32;
var<private> left: Matrix;
var<private> right: array<Matrix, 2>;
var<private> lefts: array<Matrix, 8>;
var<private> rights: array<Matrix, 8>;
var<private> side: u32;
var<private> sums: array<f32, 8 * SUMS>;
var<private> isBeyond: bool;
// A driver would move a write beyond a slice to its last element, which is padding. Here it makes NaN of the invocation's sums.
fn inside(at: u32, length: u32) -> u32 {
  isBeyond |= at >= length;
  return at;
}
fn loadLeft(isColumns: bool, offset: u32, stride: u32) -> u32 {
  left = Matrix(offset, stride, isColumns);
  return 0;
}
fn loadRight(isColumns: bool, offset: u32, stride: u32) -> u32 {
  side = 1 - side;
  right[side] = Matrix(offset, stride, isColumns);
  return side;
}
fn leftElement(c: u32, i: u32, k: u32) -> f32 {
  let line = select(i, k, lefts[c].isColumns);
  let at = select(k, i, lefts[c].isColumns);
  return f32(${slices.Left}[lefts[c].offset + line * lefts[c].stride + at / 4][at % 4]);
}
fn rightElement(c: u32, k: u32, j: u32) -> f32 {
  let line = select(k, j, rights[c].isColumns);
  let at = select(j, k, rights[c].isColumns);
  return f32(${slices.Right}[rights[c].offset + line * rights[c].stride + at / 4][at % 4]);
}
fn multiplyAccumulate(a: u32, b: u32, c: u32) -> u32 {
  lefts[c] = left;
  rights[c] = right[b];
  return c;
}
fn multiplyAll() {
  for (var c = 0u; c < ${bound("2 * SUB_M / MATRIX_M")}; c++) {
    for (var n = 0u; n < ${bound("SUMS")}; n++) {
      let element = lane + n * SUBGROUP;
      for (var k = 0u; k < ${bound("MATRIX_K")}; k++) {
        sums[c * SUMS + n] += leftElement(c, element / MATRIX_N, k) * rightElement(c, k, element % MATRIX_N);
      }
    }
  }
}
fn storeMatrix(at: u32, c: u32) {
  for (var n = 0u; n < ${bound("SUMS")}; n++) {
    stage[at + lane + n * SUBGROUP] = select(sums[c * SUMS + n], bitcast<f32>(0x7fc00000 | u32(isBeyond)), isBeyond);
  }
}
`;
}

/**
 * The shader with one loop for all multiplications of a slice, and one for all stores: compilers make a copy of a function
 * wherever it is called, and llvmpipe's takes half a minute for 16 of them. The places of the sums stay the shader's own.
 */
function inLoops(code: string, bound: (count: string) => string): string {
  const stores = [...code.matchAll(/ *storeMatrix\(staged, sum\d\d\);\n *store\(([^;]*)\);\n/g)];
  const args = stores.map(([, args]) => args!.split(", "));
  const [first] = args;
  const varying = first!.map((_, i) => new Set(args.map((one) => one[i])).size > 1);
  const places = first!.map((arg, i) =>
    varying[i] ? `array(${args.map((one) => one[i]).join(", ")})` : arg,
  );
  const names = places.map((place, i) => (varying[i] ? `places${i}[c]` : place));
  const start = stores[0]!.index;
  const last = stores.at(-1)!;
  // The last four are in a block of their own, for a subgroup of eight matrices.
  const guard = /if \((.*)\) \{/.exec(code.slice(start, last.index))?.[1];
  const count = bound(`select(4, 8, ${guard})`);
  const loop = `${places.map((place, i) => (varying[i] ? `  var places${i} = ${place};\n` : "")).join("")}
  for (var c = 0u; c < ${count}; c++) { storeMatrix(staged, c); store(${names.join(", ")}); }
`;
  const end = code.indexOf("}\n", last.index) + 2;
  const looped = `${code.slice(0, start)}${loop}${code.slice(end)}`;
  return looped.replace(
    /(\n {4}for \(var depth = 0u; depth < TILE_K; depth \+= MATRIX_K\) \{\n[\s\S]*?)\n {4}\}\n/,
    "$1\n multiplyAll();\n    }\n",
  );
}

/** The kernel with the matrices of all its variants imitated, which then take any adapter: callers ask the variants themselves. */
export function imitation<P extends ParamValues>(kernel: Kernel<P>): Kernel<P> {
  const { plain, gpu = [] } = kernel.variants;
  const variants = [...gpu, ...(matrixUnits.variantsOf(kernel)?.variants ?? [])];
  return { ...kernel, variants: { plain: imitatedShader(plain), gpu: variants.map(imitatedVariant) } };
}

const ANYWHERE = { needs: [], fits: () => true };

/** A variant of one shader with its matrices imitated, which then takes any adapter. */
export const imitatedShader = <P extends ParamValues>(variant: Variant<P>): Variant<P> => ({
  ...variant,
  ...ANYWHERE,
  source: imitated(variant.source),
});

const imitatedVariant = <P extends ParamValues>(variant: AnyVariant<P>): AnyVariant<P> =>
  "stages" in variant
    ? {
        ...variant,
        ...ANYWHERE,
        stages: variant.stages.map((stage) => ({ ...stage, kernel: imitation(stage.kernel) })),
      }
    : imitatedShader(variant);

/** True if the variant computes on matrix units. */
export const needsMatrices = ({ needs = [] }: AnyVariant): boolean => needs.includes(MATRIX_UNITS);

/** Adapters with the matrix units that there are variants for. */
export const matrixAdapters: Adapter[] = [32, 16].map((lanes) => ({
  key: `matrix units, subgroups of ${lanes}`,
  software: false,
  features: new Set(MATRIX_FEATURES),
  matrices: ["f16→f32 16×16×16", "f32→f32 8×8×8", "f16→f32 8×16×16"],
  subgroupSize: [lanes, lanes],
  workgroupMemory: 32_768,
  workgroupThreads: 256,
  matrixUnits,
}));
