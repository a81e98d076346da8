/**
 * Completion of work: browsers signal it; Dawn's Node binding polls, one turn of the event loop after the
 * other; Firefox looks every 100 ms, and whenever something is submitted.
 */
export type Completion = "signalled" | "polled" | "submitted";

/** Ways to wait for a driver's work. */
export function restFor(
  completion: Completion,
  software: boolean,
  queue: Pick<GPUQueue, "submit">,
): <T>(work: Promise<T>) => Promise<T> {
  if (completion === "submitted") return (work) => submitUntil(work, queue);
  return completion === "polled" && software ? sleepUntil : (work) => work;
}

/** Milliseconds: the longest sleep, and the share of the time waited so far that a sleep may add. */
const LONGEST = 1;
const SHARE = 0.1;

let waiting = 0;
let since = 0;
let turning = false;
let asleep: Int32Array | undefined;

/**
 * Wait for work that a driver computes on the CPU, and leave the CPU to it.
 *
 * Polling costs a GPU nothing; a software adapter loses up to half of its time to it where two
 * threads share a core. So each turn ends with a short sleep of this thread; other events are served in between.
 */
export async function sleepUntil<T>(work: Promise<T>): Promise<T> {
  if (waiting++ === 0) since = performance.now();
  // The turn that follows the end of one wait serves the next.
  if (!turning) setImmediate(turn);
  turning = true;
  try {
    return await work;
  } finally {
    waiting--;
  }
}

function turn(): void {
  turning = waiting > 0;
  if (!turning) return;
  asleep ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(asleep, 0, 0, Math.min(LONGEST, SHARE * (performance.now() - since)));
  setImmediate(turn);
}

/** Milliseconds between empty submissions: so many at first, and after EAGER a quarter of the time waited so far. */
const SHORTEST = 1;
const EAGER = 20;

/** Wait for work, and submit nothing now and then, which makes Firefox look for completed work. */
async function submitUntil<T>(work: Promise<T>, queue: Pick<GPUQueue, "submit">): Promise<T> {
  const start = performance.now();
  let timer: ReturnType<typeof setTimeout>;
  const look = () => {
    queue.submit([]);
    schedule();
  };
  const schedule = () => {
    const waited = performance.now() - start;
    timer = setTimeout(look, waited < EAGER ? SHORTEST : waited / 4);
  };
  schedule();
  try {
    return await work;
  } finally {
    clearTimeout(timer!);
  }
}
