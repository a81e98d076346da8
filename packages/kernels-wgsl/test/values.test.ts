import { beforeAll, describe, expect, it } from "vitest";
import type { Case, Values } from "../src/check.ts";
import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Kernel,
  type Variant,
} from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { openDevice } from "./device.ts";
import { fromHalf, toHalf } from "./half.ts";
import { checks, elements } from "./kernels.ts";

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
  async function launch({ params, holes = {}, reads, writes }: Case): Promise<Values[]> {
    const { source, ...own } = shaderOf(kernel, variant);
    const types = elements(source, { ...own.holes, ...holes });
    const buffers = [...reads, ...writes].map((values, i) => {
      const half = types.get([...kernel.reads, ...kernel.writes][i]!) === "f16";
      return upload(half ? toHalf(values as Float32Array) : values);
    });
    launcher.launch(
      kernel,
      params,
      buffers.map((buffer) => ({ buffer })),
      { holes, variant: variant.name },
    );
    launcher.flush();
    const found = await Promise.all(
      writes.map(async (before, i) => {
        const half = types.get(kernel.writes[i]!) === "f16";
        const bytes = await read(buffers[reads.length + i]!);
        if (half) return fromHalf(new Uint16Array(bytes, 0, before.length));
        return new (before.constructor as Float32ArrayConstructor)(bytes, 0, before.length);
      }),
    );
    for (const buffer of buffers) buffer.destroy();
    expect(failures).toEqual([]);
    return found;
  }

  async function compare(example: Case, tolerance: number): Promise<void> {
    const found = await launch(example);
    for (const [i, expected] of example.expected.entries()) {
      if (!expected) continue;
      const error = relativeError(found[i]!, expected);
      expect(error, `${example.name}: ${kernel.writes[i]} is off by ${error}`).toBeLessThanOrEqual(tolerance);
    }
  }

  it("equals the float64 reference", async () => {
    for (const example of cases()) {
      if (fits(variant, example.params, adapter)) await compare(example, example.tolerance ?? 1e-5);
    }
  });

  it("equals it in float16", async ({ skip }) => {
    skip(!/^alias Elem = f32;/m.test(shaderOf(kernel, variant).source), "no alias Elem");
    skip(!adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    for (const example of cases()) {
      if (example.half === false || !fits(variant, example.params, adapter)) continue;
      await compare(
        { ...example, holes: { ...example.holes, Elem: "f16" } },
        Math.max(2e-3, example.tolerance ?? 0),
      );
    }
  });
});

/** One that has the kernel's bindings. */
const shaderOf = (kernel: Kernel, variant: AnyVariant): Variant =>
  "stages" in variant ? kernel.variants.plain : variant;

function upload(values: Values | Uint16Array): GPUBuffer {
  const size = Math.max(16, Math.ceil(values.byteLength / 16) * 16);
  const buffer = device.createBuffer({ size, usage: 0x80 | 0x08 | 0x04, mappedAtCreation: true });
  new Uint8Array(buffer.getMappedRange()).set(
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  );
  buffer.unmap();
  return buffer;
}

async function read(buffer: GPUBuffer): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const copy = staging.getMappedRange().slice(0);
  staging.destroy();
  return copy;
}

/** ‖found − expected‖₂ / ‖expected‖₂; against zeros, the root mean square. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    // Equal infinities differ by nothing; NaN differs from everything.
    if (!Object.is(found[i]! + 0, expected[i]! + 0)) difference += (found[i]! - expected[i]!) ** 2;
    if (Number.isFinite(expected[i]!)) norm += expected[i]! ** 2;
  }
  return expected.length === 0 ? 0 : Math.sqrt(difference / (norm || expected.length));
}
