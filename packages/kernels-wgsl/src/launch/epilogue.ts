/** Layout of an operand of an epilogue: that of y, or one value for each channel. */
export type OperandKind = "dense" | "channel";

/** Expression applied to each result before it is stored, in a kernel with `Kernel.epilogue`. */
export interface Epilogue {
  /** Expression in `value` and the operands, `e0` and `e1`. */
  readonly expression: string;
  /** Operands of the bindings e0 and e1: at most two. */
  readonly operands: readonly { readonly kind: OperandKind; readonly type: "f32" | "f16" }[];
}

/** The expression that adds a bias. */
export const BIAS = "value + e0";

/** Operands that an epilogue may have. */
export const EPILOGUE_OPERANDS = 2;

/** Holes of a shader for an epilogue. */
export function epilogueHoles({ expression, operands }: Epilogue): Record<string, string> {
  const loads = operands.map(({ kind }, k) => [
    `e${k}`,
    kind === "dense" ? `dense${k}(at)` : `channel${k}(channel)`,
  ]);
  const types = operands.map(({ type }, k) => [`E${k}`, type]);
  return { ...Object.fromEntries(types), epilogue: substitute(expression, Object.fromEntries(loads)) };
}

/** True if an expression uses a name. */
export const uses = (expression: string, name: string): boolean =>
  new RegExp(`\\b${name}\\b`).test(expression);

/** Replace names in an expression, all at once. */
export function substitute(expression: string, by: Readonly<Record<string, string>>): string {
  const names = Object.keys(by);
  if (names.length === 0) return expression;
  return expression.replace(new RegExp(`\\b(${names.join("|")})\\b`, "g"), (name) => by[name]!);
}
