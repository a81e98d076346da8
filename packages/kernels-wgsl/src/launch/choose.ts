import {
  type Adapter,
  allVariants,
  fits,
  type Holes,
  type Kernel,
  type ParamValues,
  type Variant,
} from "./kernel.ts";
import { tuningKey } from "./tuned.ts";

/** Those of all variants that the adapter can run and the parameters allow; the plain one last. */
export function candidates<P extends ParamValues>(
  kernel: Pick<Kernel<P>, "variants">,
  params: P,
  adapter: Adapter,
): Variant<P>[] {
  return allVariants(kernel).filter((variant) => fits(variant, params, adapter));
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
): Variant<P> {
  const { plain, gpu = [], rasteriser = [] } = kernel.variants;
  const measured = adapter.tuned?.size ? adapter.tuned.get(tuningKey(kernel, params, holes)) : undefined;
  const tuned =
    measured === undefined ? undefined : allVariants(kernel).find(({ name }) => name === measured);
  if (tuned && fits(tuned, params, adapter)) return tuned;
  const ofRole = adapter.software ? rasteriser : gpu;
  const fitting = [...ofRole.filter((variant) => fits(variant, params, adapter)), plain];
  const preferred = kernel.prefer?.(params, adapter);
  return fitting.find(({ name }) => name === preferred) ?? fitting[0]!;
}
