import { FormatError } from "@shadegrad/tensor";
import type { AssetFile } from "../worker-client/messages/nets.ts";
import { assetUrl } from "./bundled-assets.ts";

const CACHE = "shadegrad";

export interface Fetched {
  readonly file: File;
  readonly from: "network" | "cache";
  /** Reason why the browser did not cache it; undefined if it did. */
  readonly notCached?: string | undefined;
}

/**
 * A file of the page's folder: from the browser's cache, or over the network, and then cached.
 *
 * `onBytes` gets the size of each chunk. A cache that is full, or switched off, is no error: the file is fetched again at the
 * next visit.
 *
 * @throws FormatError if the bytes differ from those that the build wrote; Error if the request fails.
 */
export async function fetchCached(wanted: AssetFile, onBytes: (bytes: number) => void): Promise<Fetched> {
  const url = assetUrl(wanted.path);
  const key = `${url.pathname}?${wanted.hash.slice(0, 16)}`;
  const name = wanted.path.split("/").at(-1)!;
  const cache = await openCache();
  const cached = await cache?.match(key).catch(() => undefined);
  if (cached) {
    const blob = await cached.blob();
    onBytes(blob.size);
    return { file: new File([blob], name), from: "cache" };
  }
  const blob = await download(url, onBytes);
  await check(wanted, blob);
  return { file: new File([blob], name), from: "network", notCached: await keep(cache, key, blob) };
}

async function download(url: URL, onBytes: (bytes: number) => void): Promise<Blob> {
  const response = await fetch(url).catch((cause: Error) => {
    throw new Error(`${url.pathname} did not load: ${cause.message}. Is the network there?`, { cause });
  });
  if (!response.ok)
    throw new Error(`${url.pathname} did not load: ${response.status} ${response.statusText}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    onBytes(part.value.length);
  }
  return new Blob(parts);
}

async function check({ path, bytes, hash }: AssetFile, blob: Blob): Promise<void> {
  const fail = (found: string) =>
    new FormatError(`${path} is damaged: ${found}. Nothing was kept; try again.`);
  if (blob.size !== bytes) throw fail(`it has ${blob.size} bytes, not ${bytes}`);
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== hash) throw fail(`its SHA-256 is ${found.slice(0, 12)}…, not ${hash.slice(0, 12)}…`);
}

/** Cache a file. → the reason why that failed; undefined if it did not */
async function keep(cache: Cache | undefined, key: string, blob: Blob): Promise<string | undefined> {
  if (!cache) return "This browser keeps no data of this page.";
  try {
    await cache.put(key, new Response(blob));
    return undefined;
  } catch (error) {
    const isFull = error instanceof DOMException && error.name === "QuotaExceededError";
    return isFull
      ? "The browser's storage is full."
      : `The browser's storage failed: ${(error as Error).message}`;
  }
}

/** Private windows and insecure pages have no cache. */
const openCache = async (): Promise<Cache | undefined> =>
  typeof caches === "undefined" ? undefined : caches.open(CACHE).catch(() => undefined);
