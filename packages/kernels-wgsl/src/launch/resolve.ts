import { texelHoles } from "../rasteriser/textures.ts";
import { choose } from "./choose.ts";
import {
  type Adapter,
  allVariants,
  type Holes,
  type Kernel,
  KernelError,
  type ParamValues,
  type Variant,
  type Workgroups,
} from "./kernel.ts";

/** How a launch is done on an adapter. */
export interface Resolved<P extends ParamValues> {
  readonly variant: Variant<P>;
  readonly holes: Holes;
  readonly grid: Workgroups;
  /** Elements that are read as textures, by the name of the binding. */
  readonly textures: Readonly<Record<string, number>>;
}

/**
 * How a launch is done here; undefined if there is nothing to do.
 *
 * @param buffers how many it is given
 * @param name of the variant to take; the kernel's own choice if absent
 * @param limit workgroups along an axis
 * @throws KernelError if the buffers are not as many as the bindings, or the grid is too large.
 */
export function resolve<P extends ParamValues>(
  kernel: Kernel<P>,
  params: P,
  buffers: number,
  given: Holes,
  name: string | undefined,
  adapter: Adapter,
  limit: number,
): Resolved<P> | undefined {
  const bindings = kernel.reads.length + kernel.writes.length;
  if (buffers !== bindings) {
    throw new KernelError(`${kernel.name}: ${buffers} buffers for ${bindings} bindings`);
  }
  const variant = name === undefined ? choose(kernel, params, adapter, given) : named(kernel, name);
  const own = { ...variant.holes, ...given };
  const textures = variant.textures?.(params, own) ?? {};
  const holes = { ...own, ...texelHoles(Object.keys(textures), own) };
  const grid = variant.workgroups(params, holes);
  if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return undefined;
  if (grid.some((side) => side > limit)) {
    throw new KernelError(
      `${kernel.name} ${variant.name}: ${grid.join("×")} workgroups; at most ${limit} along an axis`,
    );
  }
  return { variant, holes, grid, textures };
}

function named<P extends ParamValues>(kernel: Kernel<P>, name: string): Variant<P> {
  const variants = allVariants(kernel);
  const found = variants.find((variant) => variant.name === name);
  if (!found)
    throw new KernelError(
      `${kernel.name} has no variant ${name}; it has ${variants.map((v) => v.name).join(", ")}`,
    );
  return found;
}
