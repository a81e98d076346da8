import type { Adapter } from "@shadegrad/kernels-wgsl";
import { parseWgsl, validate, writeHlsl } from "naga-wasm";
import { describe, expect, it } from "vitest";
import { type Launched, launchedOn } from "../../../kernels-wgsl/test/launched.ts";
import { LEAST_LIMITS } from "../../src/gpu/least-limits.ts";
import { COMPATIBILITY, PLATFORMS, type Platform } from "./platforms.ts";

/** Resources of one dispatch, by the name of the limit. */
interface Taken {
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
}

const adapterOf = ({ name, features, limits, subgroupSize = [4, 128] }: Platform): Adapter => ({
  key: name,
  software: false,
  features: new Set(features),
  subgroupSize,
  workgroupMemory: limits.maxComputeWorkgroupStorageSize!,
  workgroupThreads: limits.maxComputeInvocationsPerWorkgroup!,
});

const BYTES: Readonly<Record<string, number>> = { half: 2, float: 4, uint: 4, int: 4, bool: 4 };

/** Resources of a shader, by its translation to HLSL, in which every size is a number. */
function taken({ code, resolved: { kernel, copied } }: Launched): Taken {
  const module = parseWgsl(code.replace("enable subgroups;", ""));
  const info = validate(module);
  const text = writeHlsl(module, info);
  info.free();
  module.free();
  const [x, y, z] = /\[numthreads\((\d+), (\d+), (\d+)\)\]/.exec(text)!.slice(1).map(Number) as [
    number,
    number,
    number,
  ];
  let memory = 0;
  for (const [, type, lanes, sides] of text.matchAll(/^groupshared ([a-z]+)(\d?) \w+((?:\[\d+\])*);/gm)) {
    const count = [...sides!.matchAll(/\d+/g)].reduce((product, [side]) => product * Number(side), 1);
    memory += Math.ceil((BYTES[type!]! * Number(lanes || 1) * count) / 16) * 16;
  }
  expect(text.match(/^groupshared/gm)?.length ?? 0).toBe(code.match(/var<workgroup>/g)?.length ?? 0);
  return {
    maxComputeInvocationsPerWorkgroup: x * y * z,
    maxComputeWorkgroupSizeX: x,
    maxComputeWorkgroupSizeY: y,
    maxComputeWorkgroupSizeZ: z,
    maxComputeWorkgroupStorageSize: memory,
    maxStorageBuffersPerShaderStage: kernel.reads.length + kernel.writes.length - Object.keys(copied).length,
  };
}

/** Limits that a dispatch is over, in words. */
const over = (launch: Launched, { limits }: Pick<Platform, "limits">): string[] =>
  Object.entries(taken(launch))
    .filter(([name, value]) => value > limits[name]!)
    .map(([name, value]) => `${launch.label}: ${name} of ${value}, and there is ${limits[name]}`);

describe("every shader that may be launched is within the limits of", () => {
  it.each(PLATFORMS.map((platform) => [platform.name, platform] as const))("%s", (_, platform) => {
    const found = launchedOn(adapterOf(platform));
    expect(new Set(found.map(({ resolved }) => resolved.kernel.name)).size).toBeGreaterThan(20);
    expect(found.flatMap((launch) => over(launch, platform))).toEqual([]);
  });

  it("the least that init asks for, all of which some shader takes", () => {
    const least = { ...COMPATIBILITY, limits: { ...COMPATIBILITY.limits, ...LEAST_LIMITS } };
    const found = launchedOn(adapterOf(least)).map(taken);
    for (const [name, value] of Object.entries(LEAST_LIMITS)) {
      expect(Math.max(...found.map((launch) => launch[name as keyof Taken])), name).toBe(value);
    }
  });
});

it("some shader is over the limits of the compatibility mode, in threads and in buffers", () => {
  const found = launchedOn(adapterOf(COMPATIBILITY)).flatMap((launch) => over(launch, COMPATIBILITY));
  expect(found.join("\n")).toContain("maxComputeInvocationsPerWorkgroup of 256, and there is 128");
  expect(found.join("\n")).toContain("maxStorageBuffersPerShaderStage of 5, and there is 4");
});
