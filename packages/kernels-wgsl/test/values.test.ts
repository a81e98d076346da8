import { beforeAll, describe, expect, it } from "vitest";
import type { Case } from "../src/check.ts";
import { type Adapter, type AnyVariant, allVariants, fits } from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { openDevice } from "./device.ts";
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
  allVariants(kernel, rasteriser).map(
    (variant) => [`${kernel.name} ${variant.name}`, kernel, variant, cases] as const,
  ),
);

describe.each(rows)("%s", (_, kernel, variant, cases) => {
  async function compare(example: Case): Promise<void> {
    await checkValues(device, launcher, kernel, variant, example);
    expect(failures).toEqual([]);
  }

  const runnable = () => cases().filter(({ params }) => fits(variant, params, adapter));

  it("equals the float64 reference", async ({ skip }) => {
    const found = runnable();
    skip(found.length === 0, lacking(variant, adapter));
    for (const example of found) await compare(example);
  });

  it("equals it in float16", async ({ skip }) => {
    skip(!hasHalf(kernel, variant), "no alias Elem");
    skip(!adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const found = runnable();
    skip(found.length === 0, lacking(variant, adapter));
    for (const example of found) {
      if (example.half !== false) await compare(inHalf(example));
    }
  });
});

/** Why none of a variant's cases can run here. */
function lacking({ needs = [] }: AnyVariant, { features, subgroupSize }: Adapter): string {
  const missing = needs.filter((feature) => !features.has(feature));
  return missing.length > 0
    ? `the adapter has no ${missing.join(", ")}`
    : `no case fits this adapter, whose subgroups have ${[...new Set(subgroupSize)].join(" to ")} invocations`;
}
