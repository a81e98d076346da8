import type { Terminal } from "./terminal.ts";

/** Options that every command has. */
export interface Common {
  json?: true;
}

/** The body of a command; it returns the exit code, 0 if undefined. */
export type Action<A extends unknown[]> = (terminal: Terminal, ...args: A) => Promise<number | undefined>;

/** Turns an action into one that commander calls. */
export type Perform = <A extends unknown[]>(action: Action<A>) => (...args: A) => Promise<void>;
