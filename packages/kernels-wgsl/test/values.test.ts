import { beforeAll, describe, expect, it } from "vitest";
import type { Case } from "../src/check.ts";
import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Holes,
  type Variant,
} from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { MATRIX_UNITS } from "../src/launch/matrices.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { openDevice } from "./device.ts";
import { imitated, imitation, matrixAdapters, needsMatrices } from "./imitated.ts";
import { checks } from "./kernels.ts";
import { checkValues, hasHalf, inHalf } from "./value-check.ts";

let device: GPUDevice;
let adapter: Adapter;
let launcher: Launcher;
const failures: Error[] = [];

beforeAll(async () => {
  ({ device, adapter } = await openDevice());
  launcher = new Launcher(device, adapter, (error) => failures.push(error));
});

const rows = checks.flatMap(({ kernel, cases }) =>
  allVariants(kernel, rasteriser, matrixUnits).map(
    (variant) => [`${kernel.name} ${variant.name}`, kernel, variant, cases] as const,
  ),
);

describe.each(rows)("%s", (_, kernel, variant, cases) => {
  // Where there are no matrix units, matrices are imitated.
  const isImitated = () => needsMatrices(variant) && !adapter.features.has(MATRIX_UNITS);

  async function compare(examples: readonly Case[]): Promise<void> {
    const launched = isImitated() ? imitation(kernel) : kernel;
    for (const example of examples) {
      await checkValues(device, launcher, launched, variant, example);
      expect(failures).toEqual([]);
    }
  }

  const runnable = (holes: Holes) => {
    const adapters = isImitated() ? matrixAdapters : [adapter];
    return cases().filter(({ params }) => adapters.some((adapter) => fits(variant, params, adapter, holes)));
  };

  // An imitation is the same arithmetic everywhere, and long.
  const isOnce = () => isImitated() && "Deno" in globalThis;

  it("equals the float64 reference", async ({ skip }) => {
    skip(isOnce(), "matrices are imitated in Node");
    const found = runnable({});
    skip(found.length === 0, lacking(variant, adapter));
    await compare(found);
  });

  it("equals it in float16", async ({ skip }) => {
    skip(isOnce(), "matrices are imitated in Node");
    skip(!hasHalf(kernel, variant), "no alias Elem");
    skip(!adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const found = runnable({ Elem: "f16" });
    skip(found.length === 0, lacking(variant, adapter));
    await compare(found.filter(({ half }) => half !== false).map(inHalf));
  });

  // A launch has two rows only beyond 65,535 workgroups: no case is so large.
  it("equals it where its workgroups are in two rows", async ({ skip }) => {
    skip(isOnce(), "matrices are imitated in Node");
    if ("stages" in variant || !isNumbered(variant)) {
      skip("its workgroups are in one row at any size");
      return;
    }
    const found = runnable({});
    skip(found.length === 0, lacking(variant, adapter));
    const example = bestInRows(variant, found);
    if (!example) return skip("no case has several workgroups in one row");
    const shader = isImitated() ? imitated(variant.source) : variant.source;
    const plain = { ...inTwoRows(variant), source: shader };
    await checkValues(device, launcher, { ...kernel, variants: { plain } }, plain, example);
    expect(failures).toEqual([]);
  });
});

/** True if a workgroup gives itself a number, by which `spread` tells them apart. */
const isNumbered = ({ source }: Variant): boolean =>
  ["workgroup_id", "num_workgroups"].every((builtin) => source.includes(`@builtin(${builtin})`));

/** The variant on a grid of two rows, with a workgroup too many where their count is odd. */
const inTwoRows = (variant: Variant): Variant => ({
  ...variant,
  workgroups: (params, holes) => {
    const [count] = variant.workgroups(params, holes);
    return [Math.ceil(count / 2), 2, 1];
  },
});

/** The case with the fewest workgroups of those with several, an odd count if there is one. */
function bestInRows(variant: Variant, cases: readonly Case[]): Case | undefined {
  const counted = cases.map((example) => {
    const [count, ...others] = variant.workgroups(example.params, { ...variant.holes, ...example.holes });
    return { example, count: others.every((side) => side === 1) ? count : 0 };
  });
  const several = counted.filter(({ count }) => count > 1).sort((a, b) => a.count - b.count);
  return (several.find(({ count }) => count % 2 === 1) ?? several[0])?.example;
}

/** The reason that none of a variant's cases can run here. */
function lacking({ needs = [] }: AnyVariant, { features, subgroupSize }: Adapter): string {
  const missing = needs.filter((feature) => !features.has(feature));
  return missing.length > 0
    ? `the adapter has no ${missing.join(", ")}`
    : `no case fits this adapter, whose subgroups have ${[...new Set(subgroupSize)].join(" to ")} invocations`;
}
