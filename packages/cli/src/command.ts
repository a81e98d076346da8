import type { Terminal } from "./terminal.ts";
import { harmlessJson } from "./text.ts";

/** Options that every command has. */
export interface Common {
  json?: true;
}

/** The body of a command; it returns the exit code, 0 if undefined. */
export type Action<A extends unknown[]> = (terminal: Terminal, ...args: A) => Promise<number | undefined>;

/** Turns an action into one that commander calls. */
export type Perform = <A extends unknown[]>(action: Action<A>) => (...args: A) => Promise<void>;

/** Print a result as JSON: one line, in every command. */
export const printJson = (terminal: Terminal, result: object): void =>
  terminal.print(harmlessJson(JSON.stringify(result)));
