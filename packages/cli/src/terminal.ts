/** Where a command writes to, and how it is told to stop. */
export interface Terminal {
  /** Results: to standard output. */
  print(text: string): void;
  /** Everything else: to standard error. */
  note(text: string): void;
  readonly columns: number;
  /** Whether somebody watches, so that progress may be drawn. */
  readonly watched: boolean;
  /** Aborted by Ctrl-C: what runs ends as soon as it can leave things whole. */
  readonly signal: AbortSignal;
}

/** What Ctrl-C makes a program exit with. */
export const INTERRUPTED = 130;

/** From here on Ctrl-C is the command's to answer; a second one ends the process. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0); // `| head` has seen enough
    throw error;
  });
  const stop = new AbortController();
  let first = 0;
  const interrupt = () => {
    // npx passes on what the terminal has sent already: that is one Ctrl-C, not two.
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
