import type { ParamValue, ParamValues } from "@shadegrad/kernels-wgsl";

/** Shapes of a launch as text, by the axes that its parameters name: `3×3/2 64→128 56×56 ×8`. */
export function shapeText(params: ParamValues): string {
  const p = params as Record<string, number>;
  const has = (...names: string[]) => names.every((name) => name in params);
  if (has("R", "S", "H", "W", "C")) {
    const strides = p.strideRows === p.strideCols ? `${p.strideRows}` : `${p.strideRows},${p.strideCols}`;
    const window = `${p.R}×${p.S}${strides === "1" ? "" : `/${strides}`}`;
    const groups = (p.groups ?? 1) > 1 ? ` in ${p.groups}` : "";
    return `${window} ${p.C}${has("O") ? `→${p.O}` : ""}${groups} ${p.H}×${p.W} ×${p.N}`;
  }
  if (has("M", "N", "K")) {
    const batch = product(params.batch);
    return `${p.M}×${p.K} · ${p.K}×${p.N}${batch > 1 ? ` ×${batch}` : ""}`;
  }
  if (has("shape0", "shape1")) {
    const sides = [params.shape0, params.shape1].flat().filter((side) => side !== 1);
    return sides.length > 0 ? sides.reverse().join("×") : "1";
  }
  const named = SIDES.filter((name) => name in params).map((name) => p[name]);
  return (named.length > 0 ? named : Object.values(params).filter(Number.isInteger)).join("×");
}

const SIDES = ["M", "N", "outer", "size", "reduced", "C", "inner", "length"];

const product = (value: ParamValue | undefined): number =>
  [value ?? 1].flat().reduce((all: number, side) => all * Number(side), 1);
