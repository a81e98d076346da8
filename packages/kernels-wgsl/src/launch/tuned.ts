import { allVariants, type Holes, type Kernel, type ParamValues } from "./kernel.ts";

/** Variants that were measured to be the fastest on an adapter, by `tuningKey`. */
export type Tuned = ReadonlyMap<string, string>;

/**
 * What decides which variant is the fastest: the kernel, as its shaders are now, the shapes, and whether elements are
 * f32 or f16. Parameters that are numbers to compute with stay out of it.
 */
export function tuningKey<P extends ParamValues>(kernel: Kernel<P>, params: P, holes: Holes): string {
  const half = Object.values(holes).includes("f16");
  const shapes: string[] = [];
  for (const [name, type] of Object.entries(kernel.params)) {
    if (type !== "f32" && !kernel.numbers?.includes(name)) shapes.push(String(params[name]));
  }
  return `${kernelKey(kernel)} ${half ? "f16" : "f32"} ${shapes.join()}`;
}

const known = new WeakMap<object, string>();

/** A kernel's name, and a checksum of its shaders: what was measured of others says nothing. */
export function kernelKey<P extends ParamValues>({
  name,
  variants,
}: Pick<Kernel<P>, "name" | "variants">): string {
  let key = known.get(variants);
  if (key === undefined) {
    const texts = allVariants({ variants }).flatMap(({ name, source, holes }) => [
      name,
      JSON.stringify(holes),
      source,
    ]);
    known.set(variants, (key = `${name} ${fnv1a(texts.join())}`));
  }
  return key;
}

function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
