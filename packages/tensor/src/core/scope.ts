const open: Scope[] = [];
let made = 0;

/** Resource that is freed by the scope in which it is made: a tensor. */
export abstract class Owned {
  /** Position in the order of making: the gradient needs only older ones, or those of the same op. */
  readonly serial = made++;
  /** Number of histories of others that have it as an input. */
  uses = 0;
  /** True if only those histories still know it: it is freed with the last of them. */
  ownedByGraph = false;
  #scope: Scope | undefined = open.at(-1);

  constructor() {
    this.#scope?.add(this);
  }

  /** True if a scope holds it, and frees it at its end. */
  get isInScope(): boolean {
    return this.#scope !== undefined;
  }

  abstract dispose(): void;

  /** Resources that `backward` through it needs: inputs of the op that made it, and what that op saved. */
  abstract get needs(): { readonly inputs: readonly Owned[]; readonly saved: readonly Owned[] };

  /** Move it to another scope, which frees it from now on. */
  moveTo(scope: Scope | undefined): void {
    this.#scope?.delete(this);
    this.#scope = scope;
    scope?.add(this);
  }
}

/** The tensors made while it is open; they die with it, except those that are kept. */
export class Scope {
  readonly #made = new Set<Owned>();
  /** The part of them that the gradient of a kept tensor needs. */
  readonly #spared = new Set<Owned>();
  readonly #first = made;

  constructor() {
    open.push(this);
  }

  add(tensor: Owned): void {
    this.#made.add(tensor);
  }

  delete(tensor: Owned): void {
    this.#made.delete(tensor);
    this.#spared.delete(tensor);
  }

  /** Leave to the graph, at the end, what this scope made of it. */
  spare(graph: Iterable<Owned>): void {
    for (const tensor of graph) if (this.#made.has(tensor)) this.#spared.add(tensor);
  }

  /** Close it: dispose what it made, but hand what is returned, or needed by its gradient, to the scope around. */
  close(returned: ReadonlySet<Owned> = new Set()): void {
    if (open.at(-1) !== this)
      throw new Error("scope: scopes close in the reverse order of opening; one inside this is still open");
    open.pop();
    const around = open.at(-1);
    const needed = graphOf(returned, this.#first);
    for (const tensor of [...this.#made]) {
      const spared = this.#spared.has(tensor) && tensor.uses > 0;
      if (returned.has(tensor)) {
        tensor.moveTo(around);
        if (spared) around?.spare([tensor]);
      } else if (spared || needed.has(tensor)) {
        // No code outside can name it: it is freed after its last use by `backward`, or with the result.
        tensor.ownedByGraph = true;
        tensor.moveTo(spared ? undefined : around);
      } else tensor.dispose();
    }
    this.#made.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Run `f`, then free every tensor that it made, except what it returns (in arrays, objects, Maps
 * and Sets too), tensors given to `keep`, and, until that is used up or disposed, what a later `backward` of a
 * returned tensor needs.
 *
 * `using s = scope()` opens one that lasts to the end of the block. A scope is synchronous: read
 * values outside of it.
 *
 * @throws TypeError if `f` returns a promise.
 */
export function scope(): Scope;
export function scope<T>(f: () => T): T;
export function scope<T>(f?: () => T): T | Scope {
  const made = new Scope();
  if (!f) return made;
  let returned: ReadonlySet<Owned> = new Set();
  try {
    const result = f();
    if (result instanceof Promise) {
      result.catch(() => {}); // its later errors follow from this one
      throw new TypeError(
        "scope: the function is async, and what it makes later would belong to nobody. Return tensors and read them outside.",
      );
    }
    returned = tensorsIn(result);
    return result;
  } finally {
    // Inner scopes that were left open, by what was thrown perhaps, end with it.
    while (open.at(-1) !== made) open.at(-1)!.close(returned);
    made.close(returned);
  }
}

/** Exempt a tensor, with what a later `backward` of it needs, from all scopes: whoever called owns it until `dispose`. */
export function keep<T extends Owned>(tensor: T): T {
  tensor.moveTo(undefined);
  if (open.length > 0) {
    const graph = graphOf(new Set([tensor]));
    // The scope's own code may use the inputs by name until it ends; saved tensors have no name.
    for (const scope of open) scope.spare(graph);
    for (const { needs } of [tensor, ...graph]) for (const saved of needs.saved) saved.moveTo(undefined);
  }
  return tensor;
}

/** The tensors in a result: in arrays, objects, Maps and Sets at any depth. */
function tensorsIn(result: unknown): Set<Owned> {
  const found = new Set<Owned>();
  const seen = new Set<object>();
  const pending: unknown[] = [result];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    if (value instanceof Owned) found.add(value);
    else if (value instanceof Map || value instanceof Set) pending.push(...value.values());
    else pending.push(...Object.values(value));
  }
  return found;
}

/** Everything that the gradients of these tensors need, without what was made before `first` and what that needs. */
function graphOf(roots: ReadonlySet<Owned>, first = 0): Set<Owned> {
  const found = new Set<Owned>();
  const pending = [...roots];
  for (let y = pending.pop(); y; y = pending.pop()) {
    for (const needed of [...y.needs.inputs, ...y.needs.saved]) {
      if (needed.serial < first || found.has(needed)) continue;
      pending.push(needed);
      found.add(needed);
    }
  }
  return found;
}
