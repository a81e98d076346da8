/** Start of a stream of random numbers, computed at each call of a compiled function. */
type Draw = () => { readonly seed: number; readonly offset: number };

/** Draws of a forward pass, for the pass that repeats it. */
export type Draws = Draw[];

const logs: Draws[] = [];
let again: Draws | undefined;

/** Run a forward pass that will be repeated, and record its draws. */
export function firstPass<T>(draws: Draws, f: () => T): T {
  logs.push(draws);
  try {
    return f();
  } finally {
    logs.pop();
  }
}

/** Repeat a forward pass: the same random numbers, and statistics are not moved again. */
export function secondPass<T>(draws: Draws, f: () => T): T {
  const before = again;
  again = [...draws];
  try {
    return f();
  } finally {
    again = before;
  }
}

/** True if a forward pass is repeated, for its gradient alone. */
export const isSecondPass = (): boolean => again !== undefined;

/** Random numbers to use: those that `make` draws, or those that the pass which is repeated drew here. */
export function drawn(make: () => Draw): Draw {
  const draw = again?.shift() ?? make();
  for (const log of logs) log.push(draw);
  return draw;
}
