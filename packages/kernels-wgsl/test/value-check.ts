import type { Case, Values } from "../src/check.ts";
import { epilogueHoles } from "../src/launch/epilogue.ts";
import type { AnyVariant, Kernel, Variant } from "../src/launch/kernel.ts";
import type { Launcher } from "../src/launch/launcher.ts";
import { fromHalf, toHalf } from "./half.ts";
import { elements } from "./kernels.ts";

/** The variant's shader; of one in stages, one that has the kernel's bindings. */
export const shaderOf = (kernel: Kernel, variant: AnyVariant): Variant =>
  "stages" in variant ? kernel.variants.plain : variant;

/** True if the variant can compute with halves. */
export const hasHalf = (kernel: Kernel, variant: AnyVariant): boolean =>
  /^alias Elem = f32;/m.test(shaderOf(kernel, variant).source);

/** The case with halves in place of floats, and its tolerance then. */
export const inHalf = (example: Case): Case => ({
  ...example,
  holes: { ...example.holes, Elem: "f16" },
  tolerance: Math.max(2e-3, example.tolerance ?? 0),
});

/**
 * Launch a variant on a case, and compare what it writes with the reference.
 *
 * @throws Error if a value differs by more than the case allows, or if anything beside an operand was read or written.
 */
export async function checkValues(
  device: GPUDevice,
  launcher: Launcher,
  kernel: Kernel,
  variant: AnyVariant,
  example: Case,
): Promise<void> {
  const found = await launch(device, launcher, kernel, variant, example);
  for (const [i, expected] of example.expected.entries()) {
    if (!expected) continue;
    const error = relativeError(found[i]!, expected);
    if (!(error <= (example.tolerance ?? 1e-5)))
      throw new Error(`${example.name}: ${kernel.writes[i]} is off by ${error}`);
  }
}

/** Contents of the `writes` bindings after a launch. */
async function launch(
  device: GPUDevice,
  launcher: Launcher,
  kernel: Kernel,
  variant: AnyVariant,
  { params, holes = {}, epilogue, reads, writes }: Case,
): Promise<Values[]> {
  const { source, ...own } = shaderOf(kernel, variant);
  const types = elements(source, { ...own.holes, ...holes, ...(epilogue && epilogueHoles(epilogue)) });
  const names = [...kernel.reads.slice(0, reads.length), ...kernel.writes];
  const buffers = [...reads, ...writes].map((values, i) => {
    const half = types.get(names[i]!) === "f16";
    const around = i >= reads.length ? LARGE : INDICES.has(names[i]!) ? 0 : NAN;
    return upload(device, half ? toHalf(values as Float32Array) : values, around);
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
      const bytes = await read(
        device,
        buffers[reads.length + i]!,
        half ? 2 * before.length : before.byteLength,
      );
      if (half) return fromHalf(new Uint16Array(bytes, 0, before.length));
      return new (before.constructor as Float32ArrayConstructor)(bytes, 0, before.length);
    }),
  );
  for (const buffer of buffers) buffer.destroy();
  return found;
}

/** Bytes before and after what a shader is given: a read beyond its operand finds NaN or a huge number, a write is seen. */
const PADDING = 65_536;
/** Reads that are indices, padded with 0: one beyond them then counts, in place of being none. */
const INDICES = new Set(["index", "labels", "picks"]);
/** Padding of what else is read: NaN in f32 and in each half of it. */
const NAN = 0x7fff7fff;
/** Padding of what is written: finite in f32 and f16, since a NaN that is changed in place stays that NaN. */
const LARGE = 0x7bff7bff;

function upload(device: GPUDevice, values: Values | Uint16Array, around: number): GPUBuffer {
  const size = 2 * PADDING + Math.ceil(values.byteLength / 4) * 4;
  const buffer = device.createBuffer({ size, usage: 0x80 | 0x08 | 0x04, mappedAtCreation: true });
  const bytes = buffer.getMappedRange();
  new Uint32Array(bytes).fill(around);
  new Uint8Array(bytes, PADDING).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  buffer.unmap();
  return buffer;
}

/** The `length` bytes between the padding, which must be as it was. */
async function read(device: GPUDevice, buffer: GPUBuffer, length: number): Promise<ArrayBuffer> {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const copy = staging.getMappedRange().slice(0);
  staging.destroy();
  const end = PADDING + length;
  const around = [new Uint16Array(copy, 0, PADDING / 2), new Uint16Array(copy, Math.ceil(end / 2) * 2)];
  if (around.some((words) => words.some((word) => word !== (LARGE & 0xffff))))
    throw new Error("written beyond the operand");
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
