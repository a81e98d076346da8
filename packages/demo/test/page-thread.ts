import type { Page } from "playwright";

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly args: { readonly name?: string };
  /** Microseconds of the thread's own time. */
  readonly tdur?: number;
}

/**
 * Milliseconds of CPU time that each task of the page's main thread took while `during` ran. What else runs on the machine
 * does not count, as it would by the clock.
 *
 * @throws Error if the browser tells of no such task, or no such time
 */
export async function taskTimes(page: Page, during: () => Promise<void>): Promise<number[]> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ["toplevel"] });
  let trace: Buffer;
  try {
    await during();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const main = new Set(
    traceEvents
      .filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain")
      .map(thread),
  );
  const tasks = traceEvents.filter((event) => /\bRunTask$/.test(event.name) && main.has(thread(event)));
  const times = tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : tdur / 1000));
  if (times.length === 0) {
    throw new Error(
      `the trace has ${main.size} main threads with ${tasks.length} tasks, and the CPU time of none`,
    );
  }
  return times;
}
