import { type Adapter, allVariants, fits, type ParamValues, type Variant } from "../src/launch/kernel.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { matrixAdapters } from "./imitated.ts";
import { checks } from "./kernels.ts";

/** Adapters that have everything, so that every variant is checked wherever the suite runs. */
export const able: Adapter[] = [
  ...[8, 4].map((lanes) => ({
    key: "able",
    software: false,
    features: new Set(["shader-f16", "subgroups"]),
    subgroupSize: [lanes, lanes] as const,
    workgroupMemory: 32_768,
    workgroupThreads: 1024,
  })),
  ...matrixAdapters,
];

/** Every variant that is a shader of its own, by name, with its kernel and the cases of its check. */
export const rows = checks.flatMap(({ kernel, cases }) =>
  allVariants(kernel, rasteriser, matrixUnits).flatMap((variant) =>
    "stages" in variant ? [] : [[`${kernel.name} ${variant.name}`, kernel, variant, cases] as const],
  ),
);

/** True if the variant fits for one of the types that elements may have. */
export const isAble = (variant: Variant, params: ParamValues) =>
  able.some((adapter) => [{}, { Elem: "f16" }].some((holes) => fits(variant, params, adapter, holes)));
