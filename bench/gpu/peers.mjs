import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROUNDS = 2;

/**
 * The results of bench:peers, run in a process of its own: two rounds take 80 s on an H200.
 *
 * @param {readonly string[]} filter names of workloads contain one of these; none: all
 * @param {number} milliseconds after which it is ended
 * @throws Error if it fails, or is not done by then.
 */
export function measurePeers(filter, milliseconds) {
  const folder = mkdtempSync(join(tmpdir(), "shadegrad-peers-"));
  const json = join(folder, "peers.json");
  const filters = filter.flatMap((text) => ["--filter", text]);
  const script = join(import.meta.dirname, "..", "peers", "main.mjs");
  try {
    const args = [script, "--rounds", String(ROUNDS), "--json", json, ...filters];
    const { status } = spawnSync(process.execPath, args, { stdio: "inherit", timeout: milliseconds });
    if (status === null) throw new Error(`peers: not done within ${milliseconds / 1000} s`);
    if (status !== 0) throw new Error(`peers: ended with ${status}; its output above says why`);
    return JSON.parse(readFileSync(json, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
