import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportOnnx, loadCheckpoint, resnet8, trainedModels } from "@shadegrad/resnet";
import { init } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shadegrad } from "./shadegrad.ts";

let folder: string;
beforeAll(async () => {
  await init({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "shadegrad-export-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(["fold", "keep"] as const)("export writes what exportOnnx makes, batch norms: %s", async (way) => {
  const to = join(folder, `${way}.onnx`);
  const said = await shadegrad("export", to, "--model", "resnet8", "--batch-norm", way, "--json");
  expect([said.status, said.err]).toEqual([0, ""]);

  const net = resnet8();
  await loadCheckpoint(net, (await trainedModels()).find(({ name }) => name === "resnet8")!.path);
  const wanted = await exportOnnx(net, { batchNorm: way });
  dispose(net);
  expect(Buffer.compare(await readFile(to), wanted)).toBe(0);
  expect(JSON.parse(said.out)).toEqual({
    model: "resnet8",
    weights: "resnet8-cifar10.safetensors of this package",
    out: to,
    batchNorm: way,
    bytes: wanted.length,
  });
});

test("export refuses weights that are not there, and leaves no file", async () => {
  const { status, err } = await shadegrad("export", join(folder, "none", "net.onnx"));
  expect([status, err]).toEqual([
    1,
    `shadegrad export: ${folder}/none/net.onnx: there is no folder ${folder}/none; make it first.\n`,
  ]);
  const missing = await shadegrad("export", join(folder, "x.onnx"), "--weights", join(folder, "x.pth"));
  expect([missing.status, missing.err]).toEqual([
    1,
    `shadegrad export: ${folder}/x.pth: there is no such file.\n`,
  ]);
  expect((await readdir(folder)).filter((name) => name.startsWith("x"))).toEqual([]);
});
