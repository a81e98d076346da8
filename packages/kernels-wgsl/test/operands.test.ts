import { expect, it } from "vitest";
import { type Adapter, allVariants, fits } from "../src/launch/kernel.ts";
import { resolve } from "../src/launch/resolve.ts";
import { ABSENT } from "../src/launch/scratch.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { matrixAdapters } from "./imitated.ts";
import { checks } from "./kernels.ts";

const software: Adapter = {
  key: "llvmpipe",
  software: true,
  features: new Set(["shader-f16", "subgroups"]),
  subgroupSize: [8, 8],
  workgroupMemory: 32_768,
  workgroupThreads: 1024,
  rasteriser,
};
const adapters = [software, ...matrixAdapters];
const LIMIT = 65_535;

const staged = checks.flatMap(({ kernel, cases }) =>
  allVariants(kernel, ...adapters.flatMap(({ rasteriser, matrixUnits }) => [rasteriser, matrixUnits]))
    .filter((variant) => "stages" in variant)
    .map((variant) => [`${kernel.name} ${variant.name}`, kernel, variant, cases] as const),
);

it.each(staged)(
  "%s binds an operand once in a dispatch, and nothing in the place of an absent one",
  (...row) => {
    const [, kernel, variant, cases] = row;
    let dispatches = 0;
    for (const { params, holes = {}, epilogue, reads, writes } of cases()) {
      const buffers = reads.length + writes.length;
      const request = { kernel, params, buffers, epilogue, variant: variant.name };
      for (const adapter of adapters) {
        for (const given of [holes, { ...holes, Elem: "f16" }]) {
          if (!fits(variant, params, adapter, given)) continue;
          for (const { operands } of resolve({ ...request, holes: given }, adapter, LIMIT)) {
            const present = operands.filter((operand) => operand !== ABSENT);
            expect(new Set(present.map((operand) => JSON.stringify(operand))).size).toBe(present.length);
            dispatches++;
          }
        }
      }
    }
    expect(dispatches).toBeGreaterThan(0);
  },
);
