import type { Beside } from "../engine/protocol.ts";

/** Where a file is that lies beside the page: the build puts the worker's script into a folder there. */
export const besideUrl = (path: string): URL => new URL(`../${path}`, self.location.href);

let found: Promise<Beside> | undefined;

/** What the build put beside the page. */
export function beside(): Promise<Beside> {
  found ??= fetch(besideUrl("beside.json")).then((response) => {
    if (!response.ok) throw new Error(`beside.json does not come: ${response.status} ${response.statusText}`);
    return response.json() as Promise<Beside>;
  });
  found.catch(() => {
    found = undefined; // it may come the next time
  });
  return found;
}
