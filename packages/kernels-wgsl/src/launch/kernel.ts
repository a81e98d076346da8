import type { CopiedRead, CopyMemory } from "./copies.ts";
import type { Epilogue } from "./epilogue.ts";

/** Value of a kernel's `const` (number, boolean), `alias` (type) or one-line `fn` (expression). */
export type Hole = number | boolean | string;
export type Holes = Readonly<Record<string, Hole>>;

/** Types that a member of `struct Params` may have. */
export type ParamType = "u32" | "i32" | "f32" | "vec4u" | "vec4i";
export type ParamValue = number | readonly [number, number, number, number];
export type ParamValues = Readonly<Record<string, ParamValue>>;

/** Workgroups along x, y and z: each at most 65,535. */
export type Workgroups = readonly [x: number, y: number, z: number];

/** Variants that were measured to be the fastest on an adapter, by `tuningKey`. */
export type Tuned = ReadonlyMap<string, string>;

/** Properties of an adapter that the choice of a variant may depend on. */
export interface Adapter {
  /** A name that is the same for the same hardware and driver. */
  readonly key: string;
  /** A rasteriser on the CPU (llvmpipe, SwiftShader): barriers are dear there, registers are cheap. */
  readonly software: boolean;
  readonly features: ReadonlySet<string>;
  /** Invocations that run in lockstep: the least and the most that the adapter may choose. */
  readonly subgroupSize: readonly [min: number, max: number];
  /** Bytes of workgroup memory that one workgroup may have. */
  readonly workgroupMemory: number;
  /** Invocations that one workgroup may have. */
  readonly workgroupThreads: number;
  /** Kinds of products that its matrix units offer, as `f16→f32 16×16×16`: operands, sums, and M×N×K. */
  readonly matrices?: readonly string[];
  /** Variants that were measured to be the fastest here; they come before the kernels' preferences. */
  readonly tuned?: Tuned;
  /** The kernels and memory of `rasteriser/`, for software adapters; undefined on a GPU. */
  readonly rasteriser?: Rasteriser | undefined;
  /** Variants on matrix units; none where the adapter has none. */
  readonly matrixUnits?: AddedVariants | undefined;
}

/** One way to compute a kernel's result: a shader, and the values of its holes. */
export interface Variant<P extends ParamValues = ParamValues> {
  readonly name: string;
  /** A complete WGSL shader whose entry point is `main`. */
  readonly source: string;
  readonly holes?: Holes;
  /** WebGPU features without which the shader does not compile. */
  readonly needs?: readonly string[];
  /** Reads that are bound as copies in other memory, by name; only variants of `rasteriser/` have any. */
  copied?(params: P, holes: Holes, epilogue: Epilogue | undefined): Readonly<Record<string, CopiedRead>>;
  /** True if the result is right for these parameters and a launch's holes on this adapter; absent: for all. */
  fits?(params: P, adapter: Adapter, holes: Holes): boolean;
  /** `holes` are the variant's own, overridden by the caller's. */
  workgroups(params: P, holes: Holes): Workgroups;
}

/** A launch that a launch of several stages consists of. */
export interface Stage<P extends ParamValues = ParamValues> {
  // biome-ignore lint/suspicious/noExplicitAny: a kernel of any parameters, which `params` makes
  readonly kernel: Kernel<any>;
  /** The variant, by name; the kernel's own choice if absent. */
  readonly variant?: string;
  params(params: P): ParamValues;
  /** In the order of its bindings: names of bindings of the kernel that has the variant, or of its scratch memory. */
  readonly buffers: readonly string[];
  /** Holes of this stage, from those of the launch; none if absent. */
  holes?(holes: Holes): Holes;
  /** True if this stage applies the epilogue of the launch. */
  readonly hasEpilogue?: boolean;
}

/** A way to compute a kernel's result by launches of other kernels, with memory that lasts no longer than they do. */
export interface StagedVariant<P extends ParamValues = ParamValues> {
  readonly name: string;
  readonly needs?: readonly string[];
  fits?(params: P, adapter: Adapter, holes: Holes): boolean;
  /** Bytes of the scratch memory, by name. */
  readonly scratch: Readonly<Record<string, (params: P, holes: Holes) => number>>;
  readonly stages: readonly Stage<P>[];
}

export type AnyVariant<P extends ParamValues = ParamValues> = Variant<P> | StagedVariant<P>;

/** Variants of one role, the best first, and the rule that chooses among them; see `Kernel.prefer`. */
export interface RoleVariants<P extends ParamValues = ParamValues> {
  readonly variants: readonly AnyVariant<P>[];
  prefer?(params: P, adapter: Adapter, holes: Holes): string | undefined;
  /** For a kernel whose sum is split, if the role splits it otherwise. */
  readonly splitting?: Splitting<P>;
}

/** The rule by which a sum is split so that an adapter has enough to do. */
export interface Splitting<P extends ParamValues = ParamValues> {
  /** Workgroups that keep the adapter busy. */
  readonly busy: number;
  /** Terms of the shortest split that pays. */
  readonly shortest: number;
  /** Workgroups of one split, about. */
  tiles(params: P): number;
}

/** The variants of a kernel by role: interchangeable but for speed. */
export interface Variants<P extends ParamValues = ParamValues> {
  /** Right for any parameters on any adapter: the others are compared with it. */
  readonly plain: Variant<P>;
  /** For GPUs, the best first. */
  readonly gpu?: readonly AnyVariant<P>[];
  /** For software adapters, the best first. */
  readonly rasteriser?: readonly AnyVariant<P>[];
}

type Element = "Elem" | "f32" | "i32" | "u32";

/** Element type of a binding: a type, or the hole that says it and its default. */
export type ElementType = Element | readonly [hole: string, otherwise: Element];

/** Bindings of a kernel, the same for each of its variants. */
export interface Interface {
  /** Shown in traces and errors. */
  readonly name: string;
  /** Names of the `read` storage bindings, in order; then the `read_write` ones; then `Params`. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Element types of bindings; those that are not named hold `Elem`. */
  readonly types?: Readonly<Record<string, ElementType>>;
  /** Members of `struct Params`, in declaration order. */
  readonly params: Readonly<Record<string, ParamType>>;
}

export interface Kernel<P extends ParamValues = ParamValues> extends Interface {
  readonly params: { readonly [K in keyof P]: ParamType };
  /**
   * Integer parameters that are numbers to compute with, or carry the bits of a float (`bits`), and no shapes: neither
   * the variant nor the grid depends on them, nor on parameters of type f32.
   */
  readonly numbers?: readonly string[];
  readonly variants: Variants<P>;
  /**
   * The variant to take here, by name; undefined, or where that one does not fit: the first of the adapter's role
   * that fits, else the plain one.
   */
  prefer?(params: P, adapter: Adapter): string | undefined;
  /**
   * Channels of y, whose rows are dense: for a kernel whose last two reads are e0 and e1, the operands of an `Epilogue`,
   * which its shader has as the hole `epilogue`, with `dense0(at)`, `channel0(channel)`, `dense1(at)` and `channel1(channel)`.
   */
  epilogue?(params: P): number;
  /**
   * The read, by name, in which y is linear and whose last axis is y's channels, dense: scaling that read's channels
   * scales y's, before the epilogue. undefined where these parameters let it lie otherwise.
   */
  linearIn?(params: P): string | undefined;
  /** Operations, and bytes that must move at least once: for GFLOP/s and GB/s. */
  cost?(params: P): { flops: number; bytes: number };
}

/** Variants beyond a kernel's own ones, loaded once an adapter that needs them is found. */
export interface AddedVariants {
  /** Variants of a kernel, and the rule that chooses among all. */
  variantsOf<P extends ParamValues>(kernel: Kernel<P>): RoleVariants<P> | undefined;
}

/**
 * The one interface between launching and `rasteriser/`: variants and memory for software adapters.
 * The adapter of a GPU has none.
 */
export interface Rasteriser extends AddedVariants {
  /** @param counts kept up to date */
  copyMemory(device: GPUDevice, counts: { scratchBytes: number }): CopyMemory;
}

/** A shader that does not compile, or a launch that its kernel does not allow. */
export class KernelError extends Error {
  override readonly name = "KernelError";
}

/**
 * Fill a kernel's holes: `const TILE: u32 = 32;` becomes `const TILE: u32 = 64;`.
 *
 * Every `.wgsl` file is a complete shader as it stands; a hole is an ordinary declaration with a
 * default. Lines are neither added nor removed, so a compiler's `line:column` is the file's own.
 *
 * @throws KernelError if the source declares no such hole.
 */
export function specialize(name: string, source: string, holes: Holes): string {
  let filled = source;
  let half = false;
  for (const [hole, value] of Object.entries(holes)) {
    const declaration = new RegExp(
      `^((?:const|alias) ${hole}\\b[^=;]*= ?|fn ${hole}\\([^)]*\\) ?-> ?[^{]+\\{ ?return )[^;]+;`,
      "m",
    );
    if (!declaration.test(filled)) {
      throw new KernelError(`${name}.wgsl declares no const, alias or one-line fn named ${hole}`);
    }
    filled = filled.replace(declaration, (_, head: string) => `${head}${value};`);
    half ||= value === "f16";
  }
  return half ? `enable f16; ${filled}` : filled;
}

/** All variants of a kernel and of these additions, whatever their role, each once; the plain one last. */
export function allVariants<P extends ParamValues>(
  kernel: Kernel<P>,
  ...additions: readonly (AddedVariants | undefined)[]
): AnyVariant<P>[] {
  const { plain, gpu = [], rasteriser = [] } = kernel.variants;
  const added = additions.flatMap((one) => one?.variantsOf(kernel)?.variants ?? []);
  return [...new Set([...gpu, ...added, ...rasteriser, plain])];
}

/** True if this variant may be launched here, with these holes of a launch, and gives the right result. */
export function fits<P extends ParamValues>(
  variant: AnyVariant<P>,
  params: P,
  adapter: Adapter,
  holes: Holes = {},
): boolean {
  return (
    (variant.needs ?? []).every((feature) => adapter.features.has(feature)) &&
    (variant.fits?.(params, adapter, holes) ?? true)
  );
}

const MAX_WORKGROUPS = 65_535;

/**
 * Spread any number of workgroups over x and y. The kernel numbers itself
 * `wg.y * grid.x + wg.x`, and returns where that is `count` or more.
 */
export function spread(count: number): Workgroups {
  const x = Math.min(count, MAX_WORKGROUPS);
  return [x, x === 0 ? 0 : Math.ceil(count / x), 1];
}

/** Workgroups for a grid-stride loop over `items`: enough to fill any adapter, never over the limit. */
export function strided(items: number, threads: number): Workgroups {
  return [Math.min(Math.ceil(items / threads), MAX_WORKGROUPS), 1, 1];
}

/**
 * Workgroups for a grid-stride loop whose threads take several items each: as many as fill a GPU, and
 * no more, since a software rasteriser pays a microsecond for each.
 */
export function filling(items: number, threads: number): Workgroups {
  return [Math.min(Math.ceil(items / threads), 512), 1, 1];
}

const ALIGNMENT: Record<ParamType, number> = { u32: 4, i32: 4, f32: 4, vec4u: 16, vec4i: 16 };

/** Byte offsets of the members of `struct Params`, and its size, by WGSL's layout rules. */
export function layout(params: Interface["params"]): Layout {
  const known = layouts.get(params);
  if (known) return known;
  const offsets: Record<string, number> = {};
  let end = 0;
  for (const [name, type] of Object.entries(params)) {
    const align = ALIGNMENT[type];
    offsets[name] = Math.ceil(end / align) * align;
    end = offsets[name] + align;
  }
  const members = Object.entries(params).map(([name, type]) => ({ name, type, offset: offsets[name]! }));
  const made = { offsets, members, size: Math.max(16, Math.ceil(end / 16) * 16) };
  layouts.set(params, made);
  return made;
}

interface Layout {
  readonly offsets: Readonly<Record<string, number>>;
  readonly members: readonly { readonly name: string; readonly type: ParamType; readonly offset: number }[];
  readonly size: number;
}

const layouts = new WeakMap<object, Layout>();

/** Write the parameters into uniform memory at `offset`. */
export function writeParams(kernel: Interface, params: ParamValues, into: DataView, offset: number): void {
  for (const { name, type, offset: at } of layout(kernel.params).members) {
    const value = params[name];
    if (typeof value === "object") {
      for (let i = 0; i < 4; i++) into.setInt32(offset + at + 4 * i, value[i]!, true);
    } else if (typeof value !== "number") {
      throw new KernelError(
        `${kernel.name}: parameter ${name} is ${value === undefined ? "missing" : `${value}, a ${typeof value}`}`,
      );
    } else if (type === "f32") into.setFloat32(offset + at, value, true);
    else if (type === "i32") into.setInt32(offset + at, value, true);
    else into.setUint32(offset + at, value, true);
  }
}
