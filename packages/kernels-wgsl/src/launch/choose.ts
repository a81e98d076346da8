import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Holes,
  type Kernel,
  type ParamValues,
} from "./kernel.ts";
import { tuningKey } from "./tuned.ts";

/** Variants that the adapter can run and the parameters allow; the plain one last. */
export function candidates<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  adapter: Adapter,
): AnyVariant<P>[] {
  return allVariants(kernel, adapter.rasteriser).filter((variant) => fits(variant, params, adapter));
}

/**
 * Variants of the adapter's role that fit, the plain one last. Shaders for GPUs have barriers: a software rasteriser compiles
 * them for seconds, and they never win there.
 */
export function ofRole<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  adapter: Adapter,
): AnyVariant<P>[] {
  const { plain, gpu = [], rasteriser = [] } = kernel.variants;
  const added = adapter.software ? (adapter.rasteriser?.variantsOf(kernel)?.variants ?? []) : [];
  const variants = adapter.software ? [...added, ...rasteriser] : gpu;
  return [...variants.filter((variant) => fits(variant, params, adapter)), plain];
}

/**
 * The variant to launch: of all `candidates` the one that was measured to be the fastest here; else, of those of the
 * adapter's role and the plain one, the one that the kernel prefers, or the first.
 */
export function choose<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  adapter: Adapter,
  holes: Holes = {},
): AnyVariant<P> {
  const measured = adapter.tuned?.size
    ? adapter.tuned.get(tuningKey(kernel, params, holes, adapter))
    : undefined;
  const tuned =
    measured === undefined
      ? undefined
      : allVariants(kernel, adapter.rasteriser).find(({ name }) => name === measured);
  if (tuned && fits(tuned, params, adapter)) return tuned;
  const fitting = ofRole(kernel, params, adapter);
  const added = adapter.software ? adapter.rasteriser?.variantsOf(kernel) : undefined;
  const preferred = (added ?? kernel).prefer?.(params, adapter);
  return fitting.find(({ name }) => name === preferred) ?? fitting[0]!;
}
