import { expect, it } from "vitest";
import { type AnyVariant, allVariants, fits, type Kernel, type Variant } from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { type ReduceParams, reduce, reducePasses } from "../src/reduce/index.ts";
import { openDevice } from "./device.ts";
import { checkValues } from "./value-check.ts";

/** GPUs multiply by a reciprocal that is not exact, and WGSL lets them: 2.5 units in the last place. */
const INEXACT = "fn inverse(x: Vec) -> Vec { return (Vec(1) / x) * Vec(1.0000003); }";

/** The variant as a GPU computes it whose division is not exact. */
function inexact(variant: AnyVariant<ReduceParams>): Variant<ReduceParams> {
  const { source, ...others } = variant as Variant<ReduceParams>;
  const changed = source.replaceAll("/ count", "* inverse(Vec(count))");
  expect(changed).not.toBe(source);
  return { ...others, source: changed.replace("struct Params", `${INEXACT}\nstruct Params`) };
}

it("the mean of equal numbers is that number, however a GPU divides", async () => {
  const { device, adapter } = await openDevice();
  const failures: Error[] = [];
  const launcher = new Launcher(device, adapter, (error) => failures.push(error));
  for (const each of allVariants(reduce)) {
    const variant = inexact(each);
    const kernel: Kernel<ReduceParams> = {
      ...reduce,
      variants: { plain: variant },
      prefer: () => variant.name,
    };
    for (const value of [1, 0.1, 1e-20, -6e34])
      for (const reduced of [3, 41, 5003])
        for (const lastWeight of [1, 0.37]) {
          const inner = each.name === "rows" ? 1 : 4;
          const params = { ...reducePasses([1, reduced, inner])[0]!, splits: 1, chunk: reduced, lastWeight };
          if (!fits(variant, params, adapter)) continue;
          await checkValues(device, launcher, kernel as unknown as Kernel, variant as unknown as AnyVariant, {
            name: `${variant.name}: ${reduced} times ${value}, the last one ${lastWeight} times`,
            params,
            holes: { MEAN: true },
            tolerance: 0,
            reads: [new Float32Array(reduced * inner).fill(value)],
            writes: [new Float32Array(inner)],
            expected: [new Float32Array(inner).fill(value)],
          });
        }
  }
  expect(failures).toEqual([]);
});
