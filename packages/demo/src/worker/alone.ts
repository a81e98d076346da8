/** What has the device to itself. */
let current: { readonly controller: AbortController; readonly ended: Promise<unknown> } | undefined;

/** Have the device to itself until `task` ends, which is asked to stop once another wants it. */
export async function alone<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
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

/** Ask what has the device to itself to stop. */
export const stopAlone = (): void => current?.controller.abort();

/** Have it stopped, and wait for its end. */
export async function interrupt(): Promise<void> {
  while (current) {
    stopAlone();
    await current.ended;
  }
}
