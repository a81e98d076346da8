import { beforeAll, expect, it } from "vitest";
import type { Adapter, Kernel, StagedVariant } from "../src/launch/kernel.ts";
import { Launcher } from "../src/launch/launcher.ts";
import { perLaunch, type Timing } from "../src/launch/timing.ts";
import { resizeRows } from "../src/rasteriser/pad-channels.ts";
import { openDevice } from "./device.ts";

type Params = Record<"rows" | "width" | "length", number>;

/** Rows made longer in scratch memory, then cut to the length that was asked for. */
const thereAndBack: StagedVariant<Params> = {
  name: "there and back",
  scratch: { longer: ({ rows, width }) => 4 * rows * (width + 3) },
  stages: [
    { kernel: resizeRows, params: (p) => ({ ...p, length: p.width + 3 }), buffers: ["x", "longer"] },
    { kernel: resizeRows, params: (p) => ({ ...p, width: p.width + 3 }), buffers: ["longer", "y"] },
  ],
};
const kernel: Kernel<Params> = {
  ...resizeRows,
  variants: {
    plain: resizeRows.variants.plain,
    gpu: [thereAndBack],
    rasteriser: [thereAndBack],
  },
};

let device: GPUDevice;
let adapter: Adapter;
beforeAll(async () => {
  ({ device, adapter } = await openDevice());
});

const made = () =>
  new Launcher(device, adapter, (error) => {
    throw error;
  });
const bufferOf = (values: Float32Array<ArrayBuffer>) => {
  const buffer = device.createBuffer({ size: values.byteLength, usage: 0x80 | 0x08 | 0x04 });
  device.queue.writeBuffer(buffer, 0, values);
  return { buffer };
};
const read = async ({ buffer }: { buffer: GPUBuffer }) => {
  const staging = device.createBuffer({ size: buffer.size, usage: 0x01 | 0x08 });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  return [...new Float32Array(staging.getMappedRange())];
};
const counting = (length: number) => Float32Array.from({ length }, (_, i) => i + 1);

it("stages run in order, with scratch memory that is made once", async () => {
  const launcher = made();
  const [x, y] = [bufferOf(counting(6)), bufferOf(new Float32Array(8))];
  const launch = (p: Params) => launcher.launch(kernel, p, [x, y]);
  launch({ rows: 2, width: 3, length: 4 });
  launcher.flush();
  expect(await read(y)).toEqual([1, 2, 3, 0, 4, 5, 6, 0]);
  const { bindGroups, scratchBytes, pipelines } = launcher.counts;
  expect(scratchBytes).toBeGreaterThanOrEqual(4 * 2 * 6);
  for (let i = 0; i < 100; i++) launch({ rows: 2, width: 3, length: 4 });
  launcher.flush();
  expect(launcher.counts).toMatchObject({ bindGroups, scratchBytes, pipelines, launches: 202 });
});

it("scratch memory grows, and launches before it keep theirs", async () => {
  const launcher = made();
  const [x, small, large] = [
    bufferOf(counting(400)),
    bufferOf(new Float32Array(4)),
    bufferOf(new Float32Array(300)),
  ];
  launcher.launch(kernel, { rows: 2, width: 3, length: 2 }, [x, small]);
  launcher.launch(kernel, { rows: 3, width: 100, length: 100 }, [x, large]);
  launcher.flush();
  expect(await read(small)).toEqual([1, 2, 4, 5]);
  expect(await read(large)).toEqual([...counting(300)]);
});

it("a program has them too, with parameters that change, and counts its memory", async () => {
  const launcher = made();
  const [x, y] = [bufferOf(counting(12)), bufferOf(new Float32Array(8))];
  const buffers = [x, y];
  const planned = (rows: number) => ({
    kernel: kernel as never,
    params: { rows, width: 3, length: 2 },
    buffers,
  });
  const program = await launcher.prepare([planned(4), planned(2)]);
  expect(program.launches).toHaveLength(4);
  expect(program.scratchBytes).toBe(4 * 4 * 6);
  launcher.replay(program);
  expect(await read(y)).toEqual([1, 2, 4, 5, 7, 8, 10, 11]);
  program.setParams(0, { rows: 4, width: 2, length: 2 });
  program.setParams(1, { rows: 1, width: 2, length: 2 });
  launcher.replay(program);
  expect(await read(y)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  const before = launcher.counts.scratchBytes;
  program.destroy();
  expect(before - launcher.counts.scratchBytes).toBe(4 * 4 * 6);
});

it("its stages tell of the launch that they belong to, and their times add up to its own", () => {
  const launcher = made();
  const launched: Omit<Timing, "microseconds">[] = [];
  launcher.onLaunch = (launch) => launched.push(launch);
  const [x, y] = [bufferOf(counting(6)), bufferOf(new Float32Array(8))];
  const params = { rows: 2, width: 3, length: 4 };
  launcher.launch(kernel, params, [x, y]);
  launcher.launch(kernel, params, [x, y], { variant: "scalar" });
  launcher.launch(kernel, params, [x, y]);
  expect(launched.map(({ variant }) => variant)).toEqual(["scalar", "vec4", "scalar", "scalar", "vec4"]);
  const times = perLaunch(launched.map((launch, i) => ({ ...launch, microseconds: 10 ** i })));
  expect(times.map(({ variant, params: p, microseconds }) => [variant, p, microseconds])).toEqual([
    ["there and back", params, 11],
    ["scalar", params, 100],
    ["there and back", params, 11_000],
  ]);
});

it("a stage that names what is not there is refused", () => {
  const [stage] = thereAndBack.stages;
  const wrong = { ...thereAndBack, stages: [{ ...stage!, buffers: ["x", "z"] }] };
  const refused = { ...kernel, variants: { ...kernel.variants, gpu: [wrong], rasteriser: [wrong] } };
  const [x, y] = [bufferOf(counting(6)), bufferOf(new Float32Array(8))];
  expect(() => made().launch(refused, { rows: 2, width: 3, length: 4 }, [x, y])).toThrow(
    "resizeRows there and back: no binding or scratch memory is named z",
  );
});

it("a variant that does not fit is refused, by a stage's name as by a caller's", () => {
  const [x, y] = [bufferOf(counting(6)), bufferOf(new Float32Array(6))];
  const params = { rows: 2, width: 3, length: 3 };
  const message = 'resizeRows vec4 does not fit {"rows":2,"width":3,"length":3} here; scalar does';
  expect(() => made().launch(resizeRows, params, [x, y], { variant: "vec4" })).toThrow(message);
  const named: StagedVariant<Params> = {
    name: "by name",
    scratch: {},
    stages: [{ kernel: resizeRows, params: (p) => p, buffers: ["x", "y"], variant: "vec4" }],
  };
  const staged = { ...kernel, variants: { ...kernel.variants, gpu: [named], rasteriser: [named] } };
  expect(() => made().launch(staged, params, [x, y])).toThrow(message);
});
