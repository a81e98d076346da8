import { FormatError } from "@shadegrad/tensor";
import type { BesideFile } from "../engine/protocol.ts";
import { besideUrl } from "./beside.ts";

const CACHE = "shadegrad";

export interface Fetched {
  readonly file: File;
  readonly from: "network" | "kept";
  /** Why it could not be kept, if it could not. */
  readonly notKept?: string | undefined;
}

/**
 * A file that lies beside the page: from the browser's storage, where it was kept, or over the network, and then kept.
 *
 * Told of each part that comes. A storage that is full, or switched off, is no error: the file will be fetched again.
 *
 * @throws FormatError if what comes is not what the build wrote; Error if nothing comes.
 */
export async function fetchKept(wanted: BesideFile, onBytes: (bytes: number) => void): Promise<Fetched> {
  const url = besideUrl(wanted.path);
  const key = `${url.pathname}?${wanted.hash.slice(0, 16)}`;
  const name = wanted.path.split("/").at(-1)!;
  const cache = await openCache();
  const kept = await cache?.match(key).catch(() => undefined);
  if (kept) {
    const blob = await kept.blob();
    onBytes(blob.size);
    return { file: new File([blob], name), from: "kept" };
  }
  const blob = await download(url, onBytes);
  await check(wanted, blob);
  return { file: new File([blob], name), from: "network", notKept: await keep(cache, key, blob) };
}

async function download(url: URL, onBytes: (bytes: number) => void): Promise<Blob> {
  const response = await fetch(url).catch((cause: Error) => {
    throw new Error(`${url.pathname} does not come: ${cause.message}. Is the network there?`, { cause });
  });
  if (!response.ok)
    throw new Error(`${url.pathname} does not come: ${response.status} ${response.statusText}`);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    onBytes(part.value.length);
  }
  return new Blob(parts);
}

async function check({ path, bytes, hash }: BesideFile, blob: Blob): Promise<void> {
  const fail = (found: string) =>
    new FormatError(`${path} is damaged: ${found}. Nothing was kept; try again.`);
  if (blob.size !== bytes) throw fail(`it has ${blob.size} bytes, not ${bytes}`);
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== hash) throw fail(`its SHA-256 is ${found.slice(0, 12)}…, not ${hash.slice(0, 12)}…`);
}

/** Why it could not be kept; undefined if it could. */
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

/** Storage is switched off in some windows, and where the page has no secure address. */
const openCache = async (): Promise<Cache | undefined> =>
  typeof caches === "undefined" ? undefined : caches.open(CACHE).catch(() => undefined);
