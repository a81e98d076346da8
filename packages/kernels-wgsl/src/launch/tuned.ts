import {
  type Adapter,
  type AnyVariant,
  allVariants,
  type Holes,
  type Kernel,
  type ParamValues,
} from "./kernel.ts";

/**
 * Key of the choice of a variant: the kernel, as its shaders are now, the shapes, and whether elements are
 * f32 or f16. Parameters that are numbers to compute with stay out of it.
 */
export function tuningKey<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  holes: Holes,
  adapter: Pick<Adapter, "rasteriser" | "matrixUnits">,
): string {
  const half = Object.values(holes).includes("f16");
  const shapes: string[] = [];
  for (const [name, type] of Object.entries(kernel.params)) {
    if (type !== "f32" && !kernel.numbers?.includes(name)) shapes.push(String(params[name]));
  }
  return `${kernelKey(kernel, adapter)} ${half ? "f16" : "f32"} ${shapes.join()}`;
}

/** Checksums by additional variants, then by the variants of a kernel. */
const known = new WeakMap<object, WeakMap<object, string>>();
const NONE = {};

/** A kernel's name, and a checksum of its shaders here: what was measured of others says nothing. */
export function kernelKey<P extends ParamValues>(
  kernel: Kernel<P>,
  { rasteriser, matrixUnits }: Pick<Adapter, "rasteriser" | "matrixUnits">,
): string {
  const added = rasteriser ?? matrixUnits;
  let keys = known.get(added ?? NONE);
  if (!keys) known.set(added ?? NONE, (keys = new WeakMap()));
  let key = keys.get(kernel.variants);
  if (key === undefined) {
    const texts = allVariants(kernel, added).flatMap(textsOf);
    keys.set(kernel.variants, (key = `${kernel.name} ${fnv1a(texts.join())}`));
  }
  return key;
}

const textsOf = <P extends ParamValues>(variant: AnyVariant<P>): string[] =>
  "stages" in variant
    ? [variant.name, ...variant.stages.map(({ kernel }) => kernel.variants.plain.source)]
    : [variant.name, JSON.stringify(variant.holes), variant.source];

function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
