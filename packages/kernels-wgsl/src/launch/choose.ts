import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Holes,
  type Kernel,
  type ParamValues,
  type RoleVariants,
} from "./kernel.ts";
import { tuningKey } from "./tuned.ts";

/** Variants that the adapter can run and the parameters allow; the plain one last. */
export function candidates<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  adapter: Adapter,
  holes: Holes = {},
): AnyVariant<P>[] {
  return allVariants(kernel, adapter.rasteriser, adapter.matrixUnits).filter((variant) =>
    fits(variant, params, adapter, holes),
  );
}

/**
 * Variants of the adapter's role that fit, the plain one last. Shaders for GPUs have barriers: a software rasteriser compiles
 * them for seconds, and they never win there.
 */
export function ofRole<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  adapter: Adapter,
  holes: Holes = {},
): AnyVariant<P>[] {
  const { plain, gpu = [], rasteriser = [] } = kernel.variants;
  const added = addedOf(kernel, adapter)?.variants ?? [];
  const variants = adapter.software ? [...added, ...rasteriser] : [...gpu, ...added];
  return [...variants.filter((variant) => fits(variant, params, adapter, holes)), plain];
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
      : allVariants(kernel, adapter.rasteriser, adapter.matrixUnits).find(({ name }) => name === measured);
  if (tuned && fits(tuned, params, adapter, holes)) return tuned;
  const fitting = ofRole(kernel, params, adapter, holes);
  const added = addedOf(kernel, adapter);
  // A rasteriser's rule chooses among all; that of matrix units, only where these pay.
  const own = adapter.software && added ? undefined : kernel.prefer?.(params, adapter);
  const preferred = added?.prefer?.(params, adapter, holes) ?? own;
  return fitting.find(({ name }) => name === preferred) ?? fitting[0]!;
}

/** Variants of a kernel beyond its own ones for the adapter's role. */
const addedOf = <P extends ParamValues>(kernel: Kernel<P>, adapter: Adapter): RoleVariants<P> | undefined =>
  (adapter.software ? adapter.rasteriser : adapter.matrixUnits)?.variantsOf(kernel);
