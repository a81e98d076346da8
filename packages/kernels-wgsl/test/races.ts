import { CallExpr, detectRaces, WgslDebug, WgslExec } from "wgsl_reflect/wgsl_reflect.module.js";
import type { Case } from "../src/check.ts";
import { type Interface, layout, writeParams } from "../src/launch/kernel.ts";

/** Races and errors that the interpreter finds in one launch. */
export function findRaces(code: string, kernel: Interface, grid: number[], { params, reads, writes }: Case) {
  const group: Record<number, unknown> = {};
  const buffers = [...reads, ...writes].map((values) => values.slice().buffer);
  for (const [i, buffer] of buffers.entries()) group[i] = buffer;
  const uniform = new ArrayBuffer(layout(kernel.params).size);
  writeParams(kernel, params, new DataView(uniform), 0);
  group[buffers.length] = { uniform };
  return detectRaces(withLiteralWorkgroup(code), "main", grid, { 0: group });
}

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
  running = stack;
  return stepStack.call(this, stack, stepInto);
};

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
