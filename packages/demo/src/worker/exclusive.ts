/** The task that has the device to itself. */
let current: { readonly controller: AbortController; readonly ended: Promise<unknown> } | undefined;

/** Run `task` with the device to itself. Its signal aborts when another call wants the device. */
export async function exclusive<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
  await interrupt();
  const controller = new AbortController();
  const running = task(controller.signal);
  const mine = { controller, ended: running.catch(() => {}) };
  current = mine;
  try {
    return await running;
  } finally {
    if (current === mine) current = undefined;
  }
}

/** Ask the exclusive task to stop. */
export const stopExclusive = (): void => current?.controller.abort();

/** Stop the exclusive task, and wait for its end. */
export async function interrupt(): Promise<void> {
  while (current) {
    stopExclusive();
    await current.ended;
  }
}
