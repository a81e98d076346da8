import { type BindGroups, bind, copiesOf, reserve } from "./bindings.ts";
import { IntegerTable } from "./integers.ts";
import { type Adapter, layout } from "./kernel.ts";
import type { GroupTable, Pipelines } from "./pipelines.ts";
import { type Planned, type Prepared, Program } from "./program.ts";
import { resolve } from "./resolve.ts";
import { Scratch } from "./scratch.ts";
import { launchedOf } from "./timing.ts";

/** Parts that make a program. */
interface Maker {
  readonly device: GPUDevice;
  readonly adapter: Adapter;
  readonly pipelines: Pipelines;
  readonly groups: BindGroups;
  readonly counts: { scratchBytes: number };
  /** Alignment of `Params` in a uniform buffer, in bytes. */
  readonly alignment: number;
}

/**
 * Make everything that these launches need: pipelines, compiled concurrently, bind groups, scratch memory, and
 * memory for their parameters. `progress` is called with the number of compiled pipelines and the total.
 *
 * @throws KernelError if a shader does not compile, or a launch is not allowed.
 */
export async function prepare(
  { device, adapter, pipelines, groups, counts, alignment }: Maker,
  planned: readonly Planned[],
  progress: (done: number, of: number) => void,
): Promise<Program> {
  const limit = device.limits.maxComputeWorkgroupsPerDimension;
  const steps = planned.flatMap(({ kernel, params, buffers, holes = {}, epilogue, variant }, i) =>
    resolve({ kernel, params, buffers: buffers.length, holes, epilogue, variant }, adapter, limit).map(
      (resolved) => ({
        resolved,
        buffers,
        planned: i,
        pipeline: pipelines.find(resolved),
      }),
    ),
  );
  const missing = new Map(
    steps.filter(({ pipeline }) => !pipeline.gpu).map(({ pipeline, resolved }) => [pipeline, resolved]),
  );
  let done = 0;
  progress(done, missing.size);
  await Promise.all(
    Array.from(missing, async ([pipeline, resolved]) => {
      pipeline.gpu = await pipelines.compileAside(resolved, pipeline);
      progress(++done, missing.size);
    }),
  );
  let end = 0;
  const starts = steps.map(({ resolved: { kernel } }) => {
    const start = end;
    end = Math.ceil((start + layout(kernel.params).size) / alignment) * alignment;
    return start;
  });
  const uniforms = device.createBuffer({
    label: "Params of a program",
    size: Math.max(16, end),
    usage: GPU_UNIFORM | GPU_COPY_DST,
  });
  const scratch = new Scratch(device, counts, adapter.rasteriser);
  for (const { resolved } of steps) reserve(scratch, resolved);
  const made: GroupTable = new IntegerTable();
  const launches = steps.map(({ resolved, buffers, planned, pipeline }, i): Prepared => {
    const { kernel, grid, paramsFrom } = resolved;
    const bound = bind(scratch, resolved, buffers, { buffer: uniforms, size: layout(kernel.params).size });
    return {
      ...{ kernel, grid, planned, paramsFrom, pipeline: pipeline.gpu!, offsets: [starts[i]!] },
      group: groups.find(made, kernel.name, pipeline, bound),
      copies: copiesOf(bound),
      launched: launchedOf(resolved),
    };
  });
  return new Program(launches, uniforms, scratch);
}

// WebGPU's flag objects are globals of a page but not of Node; their values are fixed by the standard.
const GPU_COPY_DST = 0x08;
const GPU_UNIFORM = 0x40;
