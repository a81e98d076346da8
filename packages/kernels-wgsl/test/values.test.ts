import { beforeAll, describe, expect, it } from "vitest";
import type { Case, Values } from "../src/check.ts";
import { epilogueHoles } from "../src/launch/epilogue.ts";
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
  async function launch({ params, holes = {}, epilogue, reads, writes }: Case): Promise<Values[]> {
    const { source, ...own } = shaderOf(kernel, variant);
    const types = elements(source, { ...own.holes, ...holes, ...(epilogue && epilogueHoles(epilogue)) });
    const names = [...kernel.reads.slice(0, reads.length), ...kernel.writes];
    const buffers = [...reads, ...writes].map((values, i) => {
      const half = types.get(names[i]!) === "f16";
      return upload(half ? toHalf(values as Float32Array) : values);
    });
    launcher.launch(
      kernel,
      params,
      buffers.map((buffer) => ({ buffer, offset: PADDING })),
      { holes, epilogue, variant: variant.name },
    );
    launcher.flush();
    const found = await Promise.all(
      writes.map(async (before, i) => {
        const half = types.get(kernel.writes[i]!) === "f16";
        const bytes = await read(buffers[reads.length + i]!, half ? 2 * before.length : before.byteLength);
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

  const runnable = () => cases().filter(({ params }) => fits(variant, params, adapter));

  it("equals the float64 reference", async ({ skip }) => {
    const found = runnable();
    skip(found.length === 0, lacking(variant, adapter));
    for (const example of found) await compare(example, example.tolerance ?? 1e-5);
  });

  it("equals it in float16", async ({ skip }) => {
    skip(!/^alias Elem = f32;/m.test(shaderOf(kernel, variant).source), "no alias Elem");
    skip(!adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const found = runnable();
    skip(found.length === 0, lacking(variant, adapter));
    for (const example of found) {
      if (example.half === false) continue;
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

/** Why none of a variant's cases can run here. */
function lacking({ needs = [] }: Pick<Variant, "needs">, { features, subgroupSize }: Adapter): string {
  const missing = needs.filter((feature) => !features.has(feature));
  return missing.length > 0
    ? `the adapter has no ${missing.join(", ")}`
    : `no case fits this adapter, whose subgroups have ${[...new Set(subgroupSize)].join(" to ")} invocations`;
}

/** Bytes before and after what a shader is given: a read beyond its operand finds NaN, a write is seen. */
const PADDING = 65_536;
/** NaN in f32 and in each half of it, and no index into anything. */
const NAN = 0x7fff7fff;

function upload(values: Values | Uint16Array): GPUBuffer {
  const size = 2 * PADDING + Math.ceil(values.byteLength / 4) * 4;
  const buffer = device.createBuffer({ size, usage: 0x80 | 0x08 | 0x04, mappedAtCreation: true });
  const bytes = buffer.getMappedRange();
  new Uint32Array(bytes).fill(NAN);
  new Uint8Array(bytes, PADDING).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  buffer.unmap();
  return buffer;
}

/** The `length` bytes between the padding, which must be as it was. */
async function read(buffer: GPUBuffer, length: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const copy = staging.getMappedRange().slice(0);
  staging.destroy();
  const end = PADDING + length;
  const around = [new Uint16Array(copy, 0, PADDING / 2), new Uint16Array(copy, Math.ceil(end / 2) * 2)];
  expect(
    around.map((words) => words.findIndex((word) => word !== 0x7fff)),
    "written beyond the operand",
  ).toEqual([-1, -1]);
  return copy.slice(PADDING, end);
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
