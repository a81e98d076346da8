/** Output of a command, and its stop signal. */
export interface Terminal {
  /** Results: to standard output. */
  print(text: string): void;
  /** Everything else: to standard error. */
  note(text: string): void;
  readonly columns: number;
  /** True in a terminal, where progress may be drawn. */
  readonly watched: boolean;
  /** Aborted by Ctrl-C: the command ends as soon as its files are whole. */
  readonly signal: AbortSignal;
}

/** Exit code after Ctrl-C. */
export const INTERRUPTED = 130;

/** The process's own terminal. From here on Ctrl-C aborts the signal; a second one ends the process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // `| head` has seen enough
    throw error;
  });
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
    note: (text) => void stderr.write(`${text}\n`),
    columns: Math.min(Number(process.env.COLUMNS) || stdout.columns || 80, 100),
    watched: Boolean(stderr.isTTY),
    signal: stop.signal,
  };
}
