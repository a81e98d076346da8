import { beforeAll, describe, expect, it } from "vitest";
import type { Case } from "../src/check.ts";
import { type Adapter, type AnyVariant, allVariants, fits, type Holes } from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { MATRIX_UNITS } from "../src/launch/matrices.ts";
import { matrixUnits } from "../src/matrixUnits/index.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { openDevice } from "./device.ts";
import { onAnotherGrid } from "./grids.ts";
import { imitatedShader, imitation, matrixAdapters, needsMatrices } from "./imitated.ts";
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
  // Matrices are imitated where there are no matrix units.
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

  const inHalves = () =>
    hasHalf(kernel, variant) && adapter.features.has("shader-f16")
      ? runnable({ Elem: "f16" })
          .filter(({ half }) => half !== false)
          .map(inHalf)
      : [];

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
    const found = inHalves();
    skip(found.length === 0, lacking(variant, adapter));
    await compare(found);
  });

  // A launch has two rows, or loops over strides that turn twice, only where it is larger than any case.
  it("equals it on another grid", async ({ skip }) => {
    skip(isOnce(), "matrices are imitated in Node");
    const found = runnable({}).length > 0 ? runnable({}) : inHalves();
    skip(found.length === 0, lacking(variant, adapter));
    const other = onAnotherGrid(variant, found);
    if (typeof other === "string") return skip(other);
    const plain = isImitated() ? imitatedShader(other.variant) : other.variant;
    await checkValues(device, launcher, { ...kernel, variants: { plain } }, plain, other.example);
    expect(failures).toEqual([]);
  });
});

/** The reason that none of a variant's cases can run here. */
function lacking({ needs = [] }: AnyVariant, { features, subgroupSize }: Adapter): string {
  const missing = needs.filter((feature) => !features.has(feature));
  return missing.length > 0
    ? `the adapter has no ${missing.join(", ")}`
    : `no case fits this adapter, whose subgroups have ${[...new Set(subgroupSize)].join(" to ")} invocations`;
}
