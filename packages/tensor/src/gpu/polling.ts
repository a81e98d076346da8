/** Milliseconds: the longest sleep, and the share of the time waited so far that a sleep may add. */
const LONGEST = 1;
const SHARE = 0.1;

let waiting = 0;
let since = 0;
let turning = false;
let asleep: Int32Array | undefined;

/**
 * Wait for what a driver computes on the CPU, and leave it the CPU.
 *
 * Dawn's binding for Node asks in a loop, one turn of the event loop after the other, whether the work is
 * done. On a GPU that costs nothing; a software adapter loses up to half of its time to it where two
 * threads share a core. So each turn ends with a short sleep of this thread; other events are served in between.
 */
export async function restUntil<T>(work: Promise<T>): Promise<T> {
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
