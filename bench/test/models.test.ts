import { ResNet, zoo } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { beforeAll, describe, expect, test } from "vitest";
import { measureModel, modelHeading, modelLine, modelRows } from "../index.mjs";
import { watchMemory } from "../models/memory.mjs";

type Result = Awaited<ReturnType<typeof measureModel>>;

const build = () =>
  new ResNet({ nBlocks: [1, 1], nChannels: [4, 8], firstKernelSize: 3, stemStride: 1, classes: 3 });
const measured = (kind: "infer" | "train", mode: "eager" | "compiled") =>
  init({ quiet: true }).then((device) =>
    measureModel(device, {
      name: `${kind} ${mode}`,
      mode,
      one: { name: kind, kind, build, batch: 2, side: 8 },
    }),
  );

describe.each(["infer", "train"] as const)("%s", (kind) => {
  let eager: Result;
  let compiled: Result;
  beforeAll(async () => {
    eager = await measured(kind, "eager");
    compiled = await measured(kind, "compiled");
  });

  test("a call is timed, the first, later ones and their encoding, here, in Node or in a page", () => {
    for (const result of [eager, compiled]) {
      expect(result.calls).toBeGreaterThanOrEqual(5);
      expect(result.first).toBeGreaterThan(0);
      expect(result.encode).toBeLessThan(result.warm);
      expect(result.imagesPerSecond).toBeCloseTo(2000 / result.warm);
      expect(result.spread).toBeGreaterThanOrEqual(0);
    }
    expect(eager.encode).toBeGreaterThan(0);
    // Not > 0: a browser's clock may be too coarse for so little.
    expect(Number.isFinite(compiled.encode)).toBe(true);
  });

  test("later calls make no GPU object, and a compiled one is submitted at once", () => {
    expect(eager.made).toBe(0);
    expect(compiled.made).toBe(0);
    expect(compiled.submits).toBe(2); // and its result is read
    expect(Number.isInteger(eager.launches)).toBe(true);
    expect(compiled.launches).toBeLessThan(eager.launches);
  });

  test("memory has the weights in it, and what was planned", () => {
    const copies = kind === "infer" ? 1 : 2; // the optimizer has a velocity for each
    for (const { state, peak, textures } of [eager, compiled]) {
      expect(state).toBeGreaterThan(4 * copies * WEIGHTS);
      expect(peak).toBeGreaterThan(state + textures);
    }
    const { bytes, constantBytes } = compiled.plan!;
    const more = compiled.peak - compiled.state;
    expect(more).toBeGreaterThanOrEqual(bytes + constantBytes);
    expect(more).toBeLessThanOrEqual(1.1 * (bytes + constantBytes));
    expect(eager.plan).toBeUndefined();
  });
});

test("memory counts from when it is made to when it is destroyed, for the first time", async () => {
  const { gpu } = await init({ quiet: true });
  const memory = watchMemory(gpu);
  const buffer = gpu.createBuffer({ size: 1024, usage: 0x80 });
  const texture = gpu.createTexture({ size: [8, 4], format: "rgba16float", usage: 0x08 });
  expect(memory).toEqual({ bytes: 1024 + 256, peak: 1280, textures: 256 });
  buffer.destroy();
  buffer.destroy();
  gpu.createBuffer({ size: 512, usage: 0x80 }).destroy();
  expect(memory).toEqual({ bytes: 256, peak: 1280, textures: 256 });
  texture.destroy();
  expect(memory.bytes).toBe(0);
  expect(() => gpu.createTexture({ size: [1], format: "depth32float", usage: 0x10 })).toThrow("depth32float");
});

/** Number of weights of the convolutions in two blocks of two, without stem and shortcut. */
const WEIGHTS = 9 * (4 * 4 + 4 * 4 + 4 * 8 + 8 * 8);

test("a result is a line of 80 characters under the heading", () => {
  const result: Result = {
    ...{ name: "train resnet50 ×32 compiled", first: 10302.4, warm: 5251.3, spread: 0.02, calls: 5 },
    ...{ encode: 8.382, imagesPerSecond: 1.5, launches: 678, submits: 2, made: 0 },
    ...{ state: 2 ** 20, peak: 4 * 2 ** 20, textures: 0 },
    plan: { bytes: 2 ** 20, constantBytes: 2 ** 20, bytesWithoutReuse: 8 * 2 ** 20 },
  };
  expect(modelLine(result)).toBe(
    "train resnet50 ×32 compiled  10302    5251  1 %    8.38      678    4.0   1.50×",
  );
  expect(modelHeading()).toHaveLength(modelLine(result).length);
  expect(modelLine({ ...result, plan: undefined })).toMatch(/ 4\.0$/);
});

test.each([true, false])("each row has a name of its own, eager beside compiled; software %s", (software) => {
  const rows = modelRows(software);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { name, one, mode } of rows) {
    expect(name).toBe(`${one.name} ${mode}`);
    expect(Object.values(zoo)).toContain(one.build);
  }
  const modes = (wanted: string) => rows.filter(({ mode }) => mode === wanted).map(({ one }) => one.name);
  expect(modes("eager")).toEqual(modes("compiled"));
});
