import type { BundledAssets } from "../worker-client/messages/nets.ts";

/** Address of a file of the page's folder. The worker's script lies one folder below. */
export const assetUrl = (path: string): URL => new URL(`../${path}`, self.location.href);

let found: Promise<BundledAssets> | undefined;

/** Nets, photographs and data that the build put into the page's folder. */
export function bundledAssets(): Promise<BundledAssets> {
  found ??= fetch(assetUrl("bundled-assets.json")).then((response) => {
    if (!response.ok)
      throw new Error(`bundled-assets.json did not load: ${response.status} ${response.statusText}`);
    return response.json() as Promise<BundledAssets>;
  });
  found.catch(() => {
    found = undefined; // the next call tries again
  });
  return found;
}
