import { IntegerTable } from "./integers.ts";
import type { Kernel, ParamValues } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import type { Request, Resolved } from "./resolve.ts";

/** One dispatch of a launch, on any buffers. */
export interface Step {
  readonly resolved: Resolved;
  readonly pipeline: Pipeline;
}

/** Recipes of one kernel, by the integers that decide. */
interface Known {
  /** Names of the parameters that decide. */
  readonly deciding: readonly string[];
  readonly steps: IntegerTable<readonly Step[]>;
}

/** Recipes of all kernels together: a net has hundreds. */
const MAX_RECIPES = 4096;

/**
 * Dispatches that a launch consists of, decided once per kernel, shapes, holes and epilogue.
 *
 * Neither floats nor a kernel's `numbers` decide: a learning rate that changes at each step finds the same recipe.
 */
export class Recipes {
  #known = new WeakMap<object, Known>();
  #count = 0;
  /** Texts and values of holes by number. */
  readonly #ids = new Map<unknown, number>();
  /** Key of the launch that is looked up. */
  readonly #key: number[] = [];

  /** @param make decides, where nothing is known */
  find<P extends ParamValues>(request: Request<P>, make: () => Step[]): readonly Step[] {
    const { kernel } = request;
    let known = this.#known.get(kernel);
    if (!known)
      this.#known.set(kernel, (known = { deciding: decidingOf(kernel), steps: new IntegerTable() }));
    const key = this.#keyOf(request, known.deciding);
    const found = known.steps.find(key);
    if (found) return found;
    const steps = make();
    if (++this.#count > MAX_RECIPES) this.clear();
    else known.steps.add(key, steps);
    return steps;
  }

  /** Decide again from here on. */
  clear(): void {
    this.#known = new WeakMap();
    this.#ids.clear();
    this.#count = 0;
  }

  #keyOf<P extends ParamValues>(
    { params, buffers, holes, epilogue, variant }: Request<P>,
    deciding: readonly string[],
  ): readonly number[] {
    const key = this.#key;
    key.length = 0;
    key.push(buffers, this.#id(variant));
    for (const name of deciding) {
      const value = params[name]!;
      if (typeof value === "number") key.push(value);
      else key.push(...value);
    }
    if (epilogue) {
      key.push(this.#id(epilogue.expression));
      for (const { kind, type } of epilogue.operands) key.push(this.#id(kind), this.#id(type));
    }
    // A separator: holes begin after it.
    key.push(-1);
    for (const hole in holes) key.push(this.#id(hole), this.#id(holes[hole]));
    return key;
  }

  #id(value: unknown): number {
    let id = this.#ids.get(value);
    if (id === undefined) this.#ids.set(value, (id = this.#ids.size));
    return id;
  }
}

/** Names of the parameters on which the variant, its holes or the grid may depend. */
export function decidingOf<P extends ParamValues>({ params, numbers = [] }: Kernel<P>): string[] {
  return Object.entries(params).flatMap(([name, type]) =>
    type === "f32" || numbers.includes(name) ? [] : [name],
  );
}
