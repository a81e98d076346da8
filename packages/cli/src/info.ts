import { init, measurePeak } from "@shadegrad/tensor";
import type { Command } from "commander";
import { bytes, columns } from "./bars.ts";
import { type Common, type Perform, printJson } from "./command.ts";
import type { Terminal } from "./terminal.ts";

export function addInfo(program: Command, perform: Perform): void {
  program
    .command("info")
    .summary("show the adapter and its speed")
    .description(
      "Show the adapter, its features and limits, and its peak speed in multiply-adds and in copies.",
    )
    .action(perform(info));
}

/** Limits on the size of tensors and shaders. */
const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

async function info(terminal: Terminal, { json }: Common): Promise<undefined> {
  const device = await init({ quiet: true });
  const { software, features, subgroupSize } = device.adapter;
  const { gflops, gbytes } = await measurePeak(device);
  const found = {
    adapter: device.name,
    software,
    features: [...features].sort(),
    subgroupSize,
    limits: Object.fromEntries(LIMITS.map((name) => [name, device.gpu.limits[name]])),
    peak: { gflops: round(gflops), gbytes: round(gbytes) },
    node: process.versions.node,
  };
  if (json) {
    printJson(terminal, found);
    return;
  }
  const limit = (name: string, value: number) =>
    name.endsWith("Size") ? bytes(value) : value.toLocaleString("en");
  terminal.print(
    columns([
      ["adapter", device.name],
      ["kind", software ? "software: shaders run on the CPU" : "GPU"],
      ["peak", `${found.peak.gflops} GFLOP/s of multiply-adds, ${found.peak.gbytes} GB/s of copying`],
      [
        "subgroups",
        features.has("subgroups") ? `${subgroupSize[0]} to ${subgroupSize[1]} invocations` : "none",
      ],
      ...found.features.map((feature, i) => [i ? "" : "features", feature] as const),
      ...LIMITS.map(
        (name, i) => [i ? "" : "limits", `${name} ${limit(name, device.gpu.limits[name])}`] as const,
      ),
    ]),
  );
}

const round = (value: number): number => Number(value.toPrecision(3));
