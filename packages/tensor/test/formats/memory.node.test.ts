import { createReadStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { openSafetensors, readNpy, save, writeNpy, writeSafetensors } from "@shadegrad/tensor/formats";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

const MB = 1e6;
const COUNT = 25;
const ELEMENTS = 1_000_000; // 4 MB a tensor, 100 MB a file

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memory-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** The most by which the process grew while `work` ran, in MB. */
async function growth(work: () => Promise<void>): Promise<{ rss: number; arrayBuffers: number }> {
  collectGarbage();
  const before = process.memoryUsage();
  const most = { rss: 0, arrayBuffers: 0 };
  const look = () => {
    const now = process.memoryUsage();
    most.rss = Math.max(most.rss, (now.rss - before.rss) / MB);
    most.arrayBuffers = Math.max(most.arrayBuffers, (now.arrayBuffers - before.arrayBuffers) / MB);
  };
  const timer = setInterval(look, 1);
  await work();
  look();
  clearInterval(timer);
  return most;
}

const tensor = (i: number) =>
  ({ dtype: "f32", shape: [1000, 1000], data: () => new Float32Array(ELEMENTS).fill(i) }) as const;

test("100 MB of safetensors are written and read, a tensor at a time, in far less than 300 MB", async () => {
  const path = join(folder, "large.safetensors");
  const state = Array.from({ length: COUNT }, (_, i) => [`layer${i}.weight`, tensor(i)] as const);
  const written = await growth(() => save(path, writeSafetensors(state)));
  expect((await stat(path)).size).toBeGreaterThan(100 * MB);

  const read = (input: () => Parameters<typeof openSafetensors>[0]) =>
    growth(async () => {
      const file = await openSafetensors(input());
      let i = 0;
      for await (const [name, entry] of file) {
        const values = await entry.float32();
        expect([name, values.length, values[0], values.at(-1)]).toEqual([`layer${i}.weight`, ELEMENTS, i, i]);
        i++;
      }
      expect(i).toBe(COUNT);
      await file.close();
    });
  const fromPath = await read(() => path);
  const fromStream = await read(() => createReadStream(path));
  console.info("growth in MB", { written, fromPath, fromStream });
  for (const { rss, arrayBuffers } of [written, fromPath, fromStream]) {
    expect(rss).toBeLessThan(200);
    expect(arrayBuffers).toBeLessThan(200);
  }
});

test("one array of 100 MB takes no copy of itself from a file, and one while a stream grows", async () => {
  const path = join(folder, "large.npy");
  await save(
    path,
    writeNpy({ dtype: "f32", shape: [25 * ELEMENTS], data: () => new Float32Array(25 * ELEMENTS).fill(3) }),
  );
  const read = (input: () => Parameters<typeof readNpy>[0]) =>
    growth(async () => {
      expect((await readNpy(input())).data.at(-1)).toBe(3);
    });
  const fromPath = await read(() => path);
  const fromStream = await read(() => createReadStream(path));
  console.info("growth in MB", { fromPath, fromStream });
  expect(fromPath.arrayBuffers).toBeLessThan(120);
  expect(fromStream.arrayBuffers).toBeLessThan(280);
});
