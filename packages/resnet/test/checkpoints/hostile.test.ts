import { describe, expect, test } from "vitest";
import { inspectCheckpoint, openCheckpoint } from "../../src/checkpoints/index.ts";
import { bytesOf, joined, messageOf, orFormatError } from "./files.ts";

/** Milliseconds until `work` is done, the least of three times: others have the machine too. */
async function leastTime(work: () => Promise<unknown>): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

const layersModel = (changes: object) =>
  new File([JSON.stringify({ modelTopology: {}, ...changes })], "model.json");

const weight = { name: "conv/kernel", shape: [1], dtype: "float32" };

describe("small files cost little", () => {
  test("a module whose name is a tuple of tuples", async () => {
    const bytes = await bytesOf("laughs.pth");
    expect(await messageOf(openCheckpoint(bytes))).toMatch(/names a list and .*, not a module and a name/);
  });

  test("a name that is JSON of a hundred thousand levels", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const model = (name: string) =>
      new File(
        [
          `{"modelTopology":{},"weightsManifest":[{"paths":[],"weights":[{"name":"a","shape":[${name}],"dtype":${name}}]}]}`,
        ],
        "model.json",
      );
    expect(await messageOf(openCheckpoint(model(deep)))).toMatch(/"a" has shape \[…\], not whole numbers/);
    const topology = new File([`{"modelTopology":${deep},"weightsManifest":[]}`], "model.json");
    expect((await inspectCheckpoint(topology)).tensors.size).toBe(0);
  });

  test("a hundred thousand shards", async () => {
    const paths = Array.from({ length: 100_000 }, (_, i) => `${i}.bin`);
    const wide = { ...weight, shape: [1000] };
    const model = layersModel({ weightsManifest: [{ paths, weights: [wide] }] });
    expect(await messageOf(openCheckpoint(model))).toMatch(/has 100000 shards for 4000 bytes of weights/);
  });

  test("objects and lists by the million", async () => {
    const model = new File([`{"weightsManifest":[${"{},".repeat(2_000_000)}{}]}`], "model.json");
    expect(await messageOf(openCheckpoint(model))).toMatch(/about 2000003 objects and lists in/);
  });

  test("a storage that is listed a million times", async () => {
    const bytes = await bytesOf("kinds_legacy.pt");
    // A browser's latin1 is Windows-1252, which reads bytes from 0x80 on otherwise.
    const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    // The list of storages is the last pickle: its first key is put in the memo and asked for again and again.
    const list = text.lastIndexOf("\x80\x02]");
    const [, key] = /X(....[\d]+)q./s.exec(text.slice(list))!;
    const pickle = joined([0x80, 2], "]q\0(X", key!, "q\x01");
    const repeated = new Uint8Array(2_000_000);
    for (let i = 0; i < repeated.length; i += 2) repeated.set([0x68, 1], i);
    const file = new Blob([bytes.slice(0, list), pickle, repeated, "e.", new Uint8Array(20_000_000)]);
    const taken = await leastTime(async () => {
      expect(await messageOf(openCheckpoint(file))).toMatch(
        /is among the storages twice|has \d+ elements, but/,
      );
    });
    expect(taken).toBeLessThan(5000);
  });

  test("tensors that are all views of the same numbers", async () => {
    const found = await orFormatError(openCheckpoint(await bytesOf("kinds.pt")));
    expect(found).not.toBeInstanceOf(Error);
  });
});

test("two entries of one name in a zip archive", async () => {
  const bytes = (await bytesOf("kinds.pt")).slice();
  const text = new TextDecoder("latin1").decode(bytes);
  for (let at = -1; (at = text.indexOf("kinds/data/1", at + 1)) >= 0; ) {
    if (/[\dP\x50]/.test(text[at + 12]!) && /\d/.test(text[at + 12]!)) continue;
    bytes.set(joined("kinds/data/0"), at);
  }
  expect(await messageOf(openCheckpoint(bytes))).toMatch(/^zip: 15 entries share 14 names/);
});
