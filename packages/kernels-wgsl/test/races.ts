import {
  CallExpr,
  detectRaces,
  MemoryTracker,
  WgslDebug,
  WgslExec,
} from "wgsl_reflect/wgsl_reflect.module.js";
import type { Case } from "../src/check.ts";
import { type Interface, layout, writeParams } from "../src/launch/kernel.ts";

/** First race, or the errors, that the interpreter finds in one launch. */
export function findRaces(code: string, kernel: Interface, grid: number[], { params, reads, writes }: Case) {
  const group: Record<number, unknown> = {};
  const buffers = [...reads, ...writes].map((values) => values.slice().buffer);
  for (const [i, buffer] of buffers.entries()) group[i] = buffer;
  users = new Map(kernel.writes.map((name) => [name, new Map()]));
  const uniform = new ArrayBuffer(layout(kernel.params).size);
  writeParams(kernel, params, new DataView(uniform), 0);
  group[buffers.length] = { uniform };
  const interpreted = withStops(withoutWhile(withOwnParameters(withLiteralWorkgroup(withoutSubgroups(code)))))
    // Arrays of truth values become arrays of numbers: the interpreter cannot read an element of the former.
    .replace(/\barray<bool,/g, "array<u32,");
  try {
    const { errors } = quietly(() => detectRaces(interpreted, "main", grid, { 0: group }));
    return { race: undefined, errors };
  } catch (error) {
    if (error instanceof Race) return { race: error.message, errors: [] };
    throw error;
  }
}

/** The result of `find`. The interpreter logs each statement that it leaves out, as `v.x -= 1`, for every invocation. */
function quietly<T>(find: () => T): T {
  const { error } = console;
  console.error = () => {};
  try {
    return find();
  } finally {
    console.error = error;
  }
}

/** The interpreter computes an argument where the parameters before it are set already, so none may have the name of a local. */
function withOwnParameters(code: string): string {
  return code.replace(
    /^fn (?!main\b)(\w+)\(([^)]*)\)[^{\n]*\{(?:.*\} *(?:\/\/.*)?$|[\s\S]*?^\})/gm,
    (text, name: string, parameters: string) => {
      const names = [...parameters.matchAll(/(\w+):/g)].map(([, parameter]) => parameter!);
      if (names.length === 0) return text;
      return text.replace(new RegExp(`(?<![.\\w])(${names.join("|")})\\b`, "g"), `${name}_$1`);
    },
  );
}

/**
 * A shader for the interpreter, which knows no subgroups: the workgroup is one subgroup, and a lane keeps its own value where it
 * would get another's. No address may depend on such a value; what is read and written is then the same.
 *
 * @throws Error if the workgroup is not one subgroup, or an op is not known
 */
function withoutSubgroups(code: string): string {
  if (!/^enable subgroups;/m.test(code)) return code;
  const found = code
    .replace(/^enable subgroups;/m, "")
    .replace(/@builtin\(subgroup_invocation_id\)/g, "@builtin(local_invocation_index)")
    .replace(/subgroup(?:Broadcast|Shuffle)\((\w+), [^(),]+\)/g, "$1");
  const unknown = /\bsubgroup\w+/.exec(found.replace(/\/\/.*/g, ""))?.[0];
  if (unknown !== undefined) throw new Error(`${unknown} has no meaning for the race finder yet.`);
  if (!/@workgroup_size\(SUBGROUP\)/.test(found)) throw new Error("the workgroup is not one subgroup.");
  return found;
}

/** The interpreter enters a block together with its first statement, and would run through a barrier that stands there. */
const withStops = (code: string): string =>
  code.replace(/\b(?:workgroup|storage)Barrier\(\);/g, (barrier, at) => `let before${at} = 0u; ${barrier}`);

/** The interpreter goes through a `while` once, and then begins its block anew. */
const withoutWhile = (code: string): string => code.replace(/\bwhile \((.*)\) \{/g, "for (; $1; ) {");

/** The interpreter takes a workgroup size for 1 unless it is a literal. */
function withLiteralWorkgroup(code: string): string {
  return code.replace(/@workgroup_size\(([^)]*)\)/, (_, sizes: string) => {
    return `@workgroup_size(${sizes
      .split(",")
      .map((size) => constant(code, size))
      .join(", ")})`;
  });
}

/** The value of an expression of literals and module constants. */
function constant(code: string, expression: string): number {
  const literal = expression.replace(/[A-Za-z_]\w*/g, (name) => {
    const value = new RegExp(`^\\s*const ${name}\\b[^=;]*= ([^;]+);`, "m").exec(code)?.[1];
    if (value === undefined) throw new Error(`no const ${name}`);
    return String(constant(code, value));
  });
  return Math.trunc(Function(`return (${literal.replace(/(\d)u\b/g, "$1")})`)() as number);
}

// The interpreter runs the invocations in turns, but keeps what a function returned in the syntax tree,
// which they share: all of them would go on with the last one's value. Here each keeps its own.
let running: object | undefined;
const returned = new WeakMap<object, WeakMap<object, unknown>>();

const { stepStack } = WgslDebug.prototype;
WgslDebug.prototype.stepStack = function (stack, stepInto) {
  if (running !== stack) {
    for (const variable of this.exec.context.variables.values()) {
      const { node } = variable;
      if (node && "storage" in node && node.storage === "private")
        exchange(variable as unknown as Variable, running, stack);
    }
    running = stack;
  }
  return stepStack.call(this, stack, stepInto);
};

/** A value in the interpreter: a scalar or vector, or the memory of an array, whose accesses are logged under an id. */
type Value = { clone(): Value } | { buffer: ArrayBuffer; _bufferId: string };
interface Variable {
  value: Value;
}

// The interpreter also has one `var<private>` for all invocations.
const initial = new WeakMap<Variable, Value>();
const privates = new WeakMap<object, Map<Variable, Value>>();
let copies = 0;

/** Put an invocation's own value of a variable in the place of another's. */
function exchange(variable: Variable, from: object | undefined, to: object): void {
  if (!initial.has(variable)) initial.set(variable, copyOf(variable.value));
  else if (from) valuesOf(from).set(variable, variable.value);
  variable.value = valuesOf(to).get(variable) ?? copyOf(initial.get(variable)!);
}

function valuesOf(stack: object): Map<Variable, Value> {
  const found = privates.get(stack) ?? new Map<Variable, Value>();
  privates.set(stack, found);
  return found;
}

function copyOf(value: Value): Value {
  if (!("buffer" in value)) return value.clone();
  const own = { buffer: value.buffer.slice(0), _bufferId: `private ${copies++}` };
  return Object.assign(Object.create(Object.getPrototypeOf(value)), value, own);
}

CallExpr.prototype.setCachedReturnValue = function (value) {
  const own = returned.get(this) ?? new WeakMap();
  returned.set(this, own.set(running!, value));
};

const { _evalCallValue } = WgslExec.prototype;
WgslExec.prototype._evalCallValue = function (node, context) {
  const own = running && returned.get(node);
  const value = own?.get(running!);
  return value === undefined
    ? _evalCallValue.call(this, node, context)
    : (value as ReturnType<typeof _evalCallValue>);
};

interface Access {
  bufferId: string;
  offset: number;
  size: number;
  kind: "read" | "write";
  atomic: boolean;
  invocation: number;
  line: number;
}

/** End of the interpretation: a large tile without a barrier has thousands more. */
class Race extends Error {}

const show = ({ invocation, kind, line }: Access) => `invocation ${invocation} ${kind}s in line ${line}`;

const race = (a: Access, b: Access) =>
  a.invocation !== b.invocation && (a.kind === "write" || b.kind === "write") && !(a.atomic && b.atomic);

/** Workgroups, by their trackers, that read and that wrote each two bytes of the bindings that are written. */
let users = new Map<string, Map<number, Record<Access["kind"], Set<object>>>>();

/** True if another workgroup has used these bytes, and one of the two writes: no barrier is between workgroups. */
function racesWithAnother(workgroup: object, { bufferId, kind, atomic }: Access, at: number): boolean {
  const places = users.get(bufferId);
  if (!places || atomic) return false;
  const here = places.get(at) ?? { read: new Set(), write: new Set() };
  places.set(at, here);
  here[kind].add(workgroup);
  const rivals = kind === "write" ? [...here.write, ...here.read] : [...here.write];
  return rivals.some((rival) => rival !== workgroup);
}

// The interpreter compares every pair of accesses between barriers, a million in a large tile. This compares accesses of one
// address: two of each kind, from different invocations, are enough for any other to race with. Only this compares workgroups.
Object.assign(MemoryTracker.prototype, {
  _checkPhase(this: { _phase: Access[] }): void {
    const places = new Map<string, Map<number, Access[]>>();
    for (const access of this._phase) {
      const { bufferId, offset, size, kind, atomic, invocation } = access;
      const buffer = places.get(bufferId) ?? new Map<number, Access[]>();
      places.set(bufferId, buffer);
      for (let at = offset >> 1; at < (offset + size) / 2; at++) {
        const before = buffer.get(at) ?? [];
        const raced = before.find((other) => race(access, other));
        const where = `${bufferId}, byte ${2 * at}`;
        if (raced) throw new Race(`${where}: ${show(raced)}, ${show(access)}`);
        if (racesWithAnother(this, access, at))
          throw new Race(`${where}: another workgroup, ${show(access)}`);
        const alike = before.filter((other) => other.kind === kind && other.atomic === atomic);
        if (alike.length < 2 && alike.every((other) => other.invocation !== invocation)) before.push(access);
        buffer.set(at, before);
      }
    }
  },
});
