import { spawnSync } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import {
  openSafetensors,
  openSource,
  readNpy,
  readSafetensors,
  save,
  toBytes,
  writeNpy,
  writeSafetensors,
} from "@shadegrad/tensor/formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messageOf, safetensorsFile } from "./arbitrary.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "formats-"));
});
afterAll(() => rm(folder, { recursive: true }));

const tensors = {
  a: { dtype: "f32", shape: [2], data: Float32Array.of(1, 2) },
  b: { dtype: "u8", shape: [3], data: Uint8Array.of(3, 4, 5) },
} as const;

test("a path, a file: URL, an open handle and a Node stream", async () => {
  const path = join(folder, "small.safetensors");
  await save(path, writeSafetensors(tensors));
  expect(await readFile(path)).toEqual(Buffer.from(await toBytes(writeSafetensors(tensors))));
  const handle = await open(path);
  const wanted = await readSafetensors(await readFile(path));
  expect(wanted.get("b")?.data).toEqual(Uint8Array.of(3, 4, 5));
  for (const input of [
    path,
    pathToFileURL(path),
    pathToFileURL(path).href,
    handle,
    handle,
    Readable.from([await readFile(path)]),
  ]) {
    expect(await readSafetensors(input)).toEqual(wanted);
  }
  await handle.close();

  const npy = join(folder, "a.npy");
  await save(npy, writeNpy(tensors.a));
  expect(await readNpy(npy)).toEqual(tensors.a);
});

test("a real server, from which one tensor is read out of the middle", async () => {
  const bytes = await toBytes(
    writeSafetensors({
      a: tensors.a,
      large: { dtype: "u8", shape: [3 << 20], data: new Uint8Array(3 << 20).fill(7) },
      z: tensors.b,
    }),
  );
  const server = createServer((request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1]);
    response.writeHead(206, { "Content-Range": `bytes ${first}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(first));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  const file = await openSafetensors(`http://127.0.0.1:${port}/`);
  expect(await file.get("z").bytes()).toEqual(Uint8Array.of(3, 4, 5));
  expect(await file.get("a").float32()).toEqual(Float32Array.of(1, 2));
  await file.close();
  server.closeAllConnections();
  server.close();
});

test("a path that is not there fails as Node says it", async () => {
  await expect(openSafetensors(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("saving replaces the old file whole or not at all, and leaves no draft", async () => {
  const path = join(folder, "kept.safetensors");
  await writeFile(path, "old");
  const failing = writeSafetensors({
    a: tensors.a,
    b: {
      dtype: "f32",
      shape: [1],
      data: () => {
        throw new Error("the device was lost");
      },
    },
  });
  await expect(save(path, failing)).rejects.toThrow("the device was lost");
  expect(await readFile(path, "utf8")).toBe("old");
  await save(path, writeSafetensors(tensors));
  expect((await readSafetensors(path)).size).toBe(2);
  expect((await readdir(folder)).filter((name) => name.includes("kept"))).toEqual(["kept.safetensors"]);
});

test("a sparse file larger than any memory, with a header that agrees", async () => {
  const path = join(folder, "sparse.safetensors");
  const size = 2 ** 42;
  const head = safetensorsFile({ huge: { dtype: "U8", shape: [size], data_offsets: [0, size] } });
  await writeFile(path, head);
  await truncate(path, head.length + size);
  expect(await messageOf(readSafetensors(path))).toMatch(
    /^source: 4398046511104 bytes are needed at once, more than this platform can allocate\./,
  );
});

test("a file that shrinks while it is open", async () => {
  const path = join(folder, "shrinks.safetensors");
  const bytes = await toBytes(writeSafetensors(tensors));
  await writeFile(path, bytes);
  const file = await openSafetensors(path);
  await truncate(path, bytes.length - 1);
  expect(await messageOf(file.get("b").bytes())).toMatch(
    /^safetensors: "b" has 2 bytes left of 3 before the source ends\./,
  );
  await file.close();
});

test("closing a source leaves alone a handle that was open before", async () => {
  const path = join(folder, "handle");
  await writeFile(path, "abc");
  const handle = await open(path);
  await (await openSource(handle)).close();
  expect((await handle.stat()).size).toBe(3);
  await handle.close();
});

test.skipIf(process.platform === "win32")("a named pipe, whose size nobody knows", async () => {
  const path = join(folder, "pipe");
  spawnSync("mkfifo", [path]);
  const bytes = await toBytes(writeSafetensors(tensors));
  createWriteStream(path).end(bytes);
  const source = await openSource(path);
  expect(source.size).toBe(undefined);
  expect(Buffer.from(await source.read(0, Infinity))).toEqual(Buffer.from(bytes));
  await source.close();
});

test("a URL that cannot be reached is named, with the cause", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const url = `http://127.0.0.1:${port}/model.safetensors`;
  await expect(openSource(url)).rejects.toMatchObject({
    message: `source: ${url} cannot be fetched: connect ECONNREFUSED 127.0.0.1:${port}.`,
    cause: { message: "fetch failed" },
  });
});
