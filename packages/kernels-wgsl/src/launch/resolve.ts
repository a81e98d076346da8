import { choose } from "./choose.ts";
import type { CopiedRead } from "./copies.ts";
import { EPILOGUE_OPERANDS, type Epilogue, epilogueHoles } from "./epilogue.ts";
import {
  type Adapter,
  type AnyVariant,
  allVariants,
  fits,
  type Holes,
  type Kernel,
  KernelError,
  type ParamValues,
  type StagedVariant,
  type Variant,
  type Workgroups,
} from "./kernel.ts";
import { ABSENT, type ScratchOperand } from "./scratch.ts";
import { type Launched, launchedOf } from "./timing.ts";

/** A buffer of the caller's, by its index. */
export interface Argument {
  readonly argument: number;
}

/** Memory that a launch reads or writes: the caller's, scratch memory, or none. */
export type Operand = Argument | ScratchOperand | typeof ABSENT;

/** A launch as it was asked for. */
export interface Request<P extends ParamValues = ParamValues> {
  readonly kernel: Kernel<P>;
  readonly params: P;
  /** Count of the caller's buffers: the kernel's reads, operands of the epilogue, and its writes. */
  readonly buffers: number;
  readonly holes: Holes;
  readonly epilogue: Epilogue | undefined;
  /** The variant to take, by name; undefined: the kernel's own choice. */
  readonly variant: string | undefined;
}

/** One dispatch of a shader. */
export interface Resolved {
  readonly kernel: Kernel;
  readonly variant: Variant;
  readonly params: ParamValues;
  /** Parameters of this stage, from those of the whole launch. */
  readonly paramsFrom: (params: ParamValues) => ParamValues;
  readonly operands: readonly Operand[];
  readonly holes: Holes;
  readonly grid: Workgroups;
  /** Operands that are bound as copies, by the name of the binding. */
  readonly copied: Readonly<Record<string, CopiedRead>>;
  readonly stageOf: Launched["stageOf"];
}

/** A request within a launch of several stages. */
interface Nested<P extends ParamValues> extends Omit<Request<P>, "buffers"> {
  readonly operands: readonly Operand[];
  /** Scratch slots that are taken. */
  readonly slots: number;
  readonly paramsFrom: Resolved["paramsFrom"];
  readonly stageOf: Launched["stageOf"];
}

/**
 * The dispatches that a launch consists of here, in order: one, several where its variant has stages, none where there
 * is nothing to do.
 *
 * @param limit workgroups along an axis
 * @throws KernelError if the operands are not as many as the bindings, or the grid is too large.
 */
export function resolve<P extends ParamValues>(
  request: Request<P>,
  adapter: Adapter,
  limit: number,
): Resolved[] {
  const operands = Array.from({ length: request.buffers }, (_, argument) => ({ argument }));
  const top = { operands, slots: 0, paramsFrom: (params: ParamValues) => params, stageOf: undefined };
  return resolveNested({ ...request, ...top }, adapter, limit);
}

function resolveNested<P extends ParamValues>(
  request: Nested<P>,
  adapter: Adapter,
  limit: number,
): Resolved[] {
  const { kernel, params, holes: given, epilogue, variant: name, paramsFrom, stageOf } = request;
  const operands = withAbsent(request);
  const variant = name === undefined ? choose(kernel, params, adapter, given) : named(request, name, adapter);
  if ("stages" in variant) return ofStages({ ...request, operands }, variant, adapter, limit);
  const own = { ...variant.holes, ...given, ...(epilogue && epilogueHoles(epilogue)) };
  const copied = variant.copied?.(params, own, epilogue) ?? {};
  const holes = Object.assign(own, ...Object.values(copied).map((read) => read.holes)) as Holes;
  const grid = variant.workgroups(params, holes);
  if (grid[0] === 0 || grid[1] === 0 || grid[2] === 0) return [];
  if (grid.some((side) => side > limit)) {
    throw new KernelError(
      `${kernel.name} ${variant.name}: ${grid.join("×")} workgroups; at most ${limit} along an axis`,
    );
  }
  const shared = { params, paramsFrom, operands, holes, grid, copied, stageOf };
  return [{ ...shared, kernel: kernel as unknown as Kernel, variant: variant as unknown as Variant }];
}

/** One operand for each binding. */
function withAbsent<P extends ParamValues>({ kernel, operands, epilogue }: Nested<P>): readonly Operand[] {
  const { name, reads, writes } = kernel;
  const absent = kernel.epilogue ? EPILOGUE_OPERANDS - (epilogue?.operands.length ?? 0) : 0;
  const bindings = reads.length + writes.length;
  // A stage is given them as they are.
  if (operands.length === bindings && absent === operands.filter((operand) => operand === ABSENT).length) {
    return operands;
  }
  if (operands.length !== bindings - absent || (epilogue && !kernel.epilogue)) {
    throw new KernelError(`${name}: ${operands.length} buffers for ${bindings - absent} bindings`);
  }
  const end = reads.length - absent;
  return [...operands.slice(0, end), ...Array<Operand>(absent).fill(ABSENT), ...operands.slice(end)];
}

/** The dispatches of all stages. */
function ofStages<P extends ParamValues>(
  { kernel, params, operands, holes, epilogue, slots, paramsFrom, stageOf: outermost }: Nested<P>,
  variant: StagedVariant<P>,
  adapter: Adapter,
  limit: number,
): Resolved[] {
  const memory = new Map<string, Operand>();
  for (const [i, name] of [...kernel.reads, ...kernel.writes].entries()) memory.set(name, operands[i]!);
  for (const [i, [name, bytes]] of Object.entries(variant.scratch).entries()) {
    memory.set(name, { slot: slots + i, bytes: bytes(params, holes) });
  }
  const stageOf = outermost ?? launchedOf({ kernel, variant, params, stageOf: undefined });
  return variant.stages.flatMap((stage) => {
    const found = stage.buffers.map((name) => {
      const operand = memory.get(name);
      if (operand) return operand;
      throw new KernelError(`${kernel.name} ${variant.name}: no binding or scratch memory is named ${name}`);
    });
    const nested: Nested<ParamValues> = {
      kernel: stage.kernel,
      params: stage.params(params),
      operands: found,
      holes: stage.holes?.(holes) ?? {},
      epilogue: stage.hasEpilogue ? epilogue : undefined,
      variant: stage.variant,
      slots: slots + Object.keys(variant.scratch).length,
      paramsFrom: (outer) => stage.params(paramsFrom(outer) as P),
      stageOf,
    };
    return resolveNested(nested, adapter, limit);
  });
}

/** @throws KernelError if no variant has this name, or its result would be wrong here. */
function named<P extends ParamValues>(
  { kernel, params, holes }: Nested<P>,
  name: string,
  adapter: Adapter,
): AnyVariant<P> {
  const variants = allVariants(kernel, adapter.rasteriser, adapter.matrixUnits);
  const found = variants.find((variant) => variant.name === name);
  if (!found)
    throw new KernelError(
      `${kernel.name} has no variant ${name}; it has ${variants.map((v) => v.name).join(", ")}`,
    );
  if (fits(found, params, adapter, holes)) return found;
  const other = choose(kernel, params, adapter, holes).name;
  throw new KernelError(`${kernel.name} ${name} does not fit ${JSON.stringify(params)} here; ${other} does`);
}
