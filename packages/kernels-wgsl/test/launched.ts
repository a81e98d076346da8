import type { Case } from "../src/check.ts";
import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Kernel,
  specialize,
} from "../src/launch/kernel.ts";
import { type Resolved, resolve } from "../src/launch/resolve.ts";
import { checks } from "./kernels.ts";

const MAX_WORKGROUPS = 65_535;

/** A shader with its holes filled, and a dispatch of it. */
export interface Launched {
  readonly label: string;
  readonly code: string;
  readonly resolved: Resolved;
}

/**
 * The shaders that a variant's cases launch on these adapters, each once, in float32 and, where there is `Elem`,
 * float16.
 */
export function launched(
  kernel: Kernel,
  variant: AnyVariant,
  cases: readonly Case[],
  adapters: readonly Adapter[],
): Launched[] {
  const found = new Map<string, Launched>();
  const { source } = "stages" in variant ? kernel.variants.plain : variant;
  const hasElem = /^alias Elem = f32;/m.test(source);
  for (const { params, holes, epilogue, reads, writes } of cases) {
    const buffers = reads.length + writes.length;
    for (const adapter of adapters) {
      const precisions = hasElem && adapter.features.has("shader-f16") ? [{}, { Elem: "f16" }] : [{}];
      for (const precision of precisions) {
        const given = { ...holes, ...precision };
        if (!fits(variant, params, adapter, given)) continue;
        const request = { kernel, params, buffers, holes: given, epilogue, variant: variant.name };
        for (const resolved of resolve(request, adapter, MAX_WORKGROUPS)) {
          const { kernel, variant, holes } = resolved;
          const code = specialize(kernel.name, variant.source, holes);
          found.set(code, {
            label: `${kernel.name} ${variant.name} ${JSON.stringify(holes)}`,
            code,
            resolved,
          });
        }
      }
    }
  }
  return [...found.values()];
}

/** All shaders that may be launched on an adapter without the rasteriser wing: what kernels prefer, and what `tune` tries. */
export const launchedOn = (adapter: Adapter): Launched[] =>
  checks.flatMap(({ kernel, cases }) =>
    allVariants(kernel).flatMap((variant) => launched(kernel, variant, cases(), [adapter])),
  );
