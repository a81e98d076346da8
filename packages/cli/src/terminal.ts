import { styleText } from "node:util";
import { wrapped } from "./text.ts";

/** Output of a command, and its stop signal. */
export interface Terminal {
  /** Results: to standard output. */
  print(text: string): void;
  /** Everything else: to standard error. */
  note(text: string): void;
  readonly columns: number;
  /** The text in a colour, where standard output is a terminal and NO_COLOR is unset. */
  paint(colour: Colour, text: string): string;
  /** True in a terminal, where progress may be drawn. */
  readonly watched: boolean;
  /** Aborted by Ctrl-C: the command ends as soon as its files are whole. */
  readonly signal: AbortSignal;
}

/** A colour that `util.styleText` knows. */
export type Colour = "cyan" | "bold";

/** Exit code after Ctrl-C. */
export const INTERRUPTED = 130;

/** The process's own terminal. From here on Ctrl-C aborts the signal; a second one ends the process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // `| head` has seen enough
    throw error;
  });
  const columns = Math.min(Number(process.env.COLUMNS) || stdout.columns || 80, 100);
  // https://no-color.org: any value but the empty one counts.
  const isColoured = Boolean(stdout.isTTY) && !process.env.NO_COLOR;
  const stop = new AbortController();
  let first = 0;
  const interrupt = () => {
    // npx repeats the signal that the terminal has sent already: that is one Ctrl-C, not two.
    if (first && performance.now() - first > 1000) process.exit(INTERRUPTED);
    first ||= performance.now();
    stop.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return {
    print: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${stderr.isTTY ? wrappedLines(text, columns) : text}\n`),
    paint: (colour, text) => (isColoured ? styleText(colour, text) : text),
    columns,
    watched: Boolean(stderr.isTTY),
    signal: stop.signal,
  };
}

const wrappedLines = (text: string, width: number): string =>
  text
    .split("\n")
    .flatMap((line) => wrapped(line, width))
    .join("\n");
