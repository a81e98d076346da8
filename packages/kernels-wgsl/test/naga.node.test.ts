import { NagaError, parseWgsl, validate, writeHlsl, writeMsl } from "naga-wasm";
import { expect, it } from "vitest";
import type { Case } from "../src/check.ts";
import { type Adapter, allVariants } from "../src/launch/kernel.ts";
import { rasteriser } from "../src/rasteriser/index.ts";
import { checks } from "./kernels.ts";
import { launched } from "./launched.ts";

// naga is the shader compiler of wgpu, which Firefox and Deno compute with; Tint is Chromium's, Dawn's and so Node's.

const ENABLE_SUBGROUPS = /\benable subgroups;/;

/** Adapters of either role, with subgroups of every size, which have all features. */
const adapters: Adapter[] = [true, false].flatMap((software) =>
  [4, 8, 16, 32, 64].map((lanes) => ({
    key: `${lanes}`,
    software,
    rasteriser,
    features: new Set(["shader-f16", "subgroups"]),
    subgroupSize: [lanes, lanes] as const,
    workgroupMemory: 32_768,
    workgroupThreads: 1024,
  })),
);

/** The error that naga has for a shader, or that its writers of Metal's and Direct3D's languages have. */
function complaint(code: string): string | undefined {
  try {
    // Subgroups work in naga; the line that asks for them is what it does not know yet (asserted below).
    const module = parseWgsl(code.replace(ENABLE_SUBGROUPS, ""));
    const info = validate(module);
    try {
      const written = [writeMsl(module, info), writeHlsl(module, info)];
      return written.every((text) => text.includes("main")) ? undefined : "no entry point is written";
    } finally {
      info.free();
      module.free();
    }
  } catch (error) {
    if (error instanceof NagaError) return error.formatted;
    throw error;
  }
}

const rows = checks.flatMap(({ kernel, cases }) => {
  let made: Case[] | undefined;
  const once = () => (made ??= cases()); // references take longer than naga does
  return allVariants(kernel, rasteriser).map(
    (variant) => [`${kernel.name} ${variant.name}`, kernel, variant, once] as const,
  );
});

it.each(rows)("takes %s, and writes it for Metal and Direct3D", (_, kernel, variant, cases) => {
  const found = launched(kernel, variant, cases(), adapters);
  expect(found.length).toBeGreaterThan(0);
  for (const { code, label } of found) expect(complaint(code), label).toBeUndefined();
});

it("refuses `enable subgroups`, which is left out above in eight shaders", () => {
  const sources = import.meta.glob<string>("../src/**/*.wgsl", {
    query: "?raw",
    import: "default",
    eager: true,
  });
  expect(() => parseWgsl("enable subgroups;")).toThrow("enable-extension is not yet supported");
  expect(Object.values(sources).filter((source) => ENABLE_SUBGROUPS.test(source))).toHaveLength(8);
});

it("finds a shader that Tint takes and naga does not", () => {
  const shader = (lane: string) => `@compute @workgroup_size(8) fn main() {
    let first = subgroupBroadcast(1f, ${lane});
  }`;
  expect(complaint(shader("0u"))).toBeUndefined();
  expect(complaint(shader("0"))).toContain("error");
});
