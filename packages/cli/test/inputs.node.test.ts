import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCheckpoint, resnet8, saveCheckpoint } from "@shadegrad/resnet";
import { init, manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pictures } from "./pictures.ts";
import { shadegrad } from "./shadegrad.ts";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  await init({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "shadegrad-inputs-"));
  await pictures(at("data"), ["blue", "red"]);
  manualSeed(1);
  const net = resnet8({ classes: 2 });
  await saveCheckpoint(net, at("two.safetensors"));
  dispose(net);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const classify = (image: string) =>
  shadegrad("classify", image, "--weights", at("two.safetensors"), "--top", "1", "--csv");

describe("classify", () => {
  test("finds the pictures of a folder behind links, and says what it leaves out", async () => {
    const root = at("varied");
    await mkdir(join(root, "folder.jpg"), { recursive: true });
    await copyFile(at("data/red/0.png"), join(root, "folder.jpg", "a.PNG"));
    await copyFile(at("data/red/0.png"), join(root, "b.jpe"));
    await symlink(at("data/blue"), join(root, "linked"));
    await symlink(root, join(root, "round"));
    for (const name of ["notes.txt", ".DS_Store"]) await writeFile(join(root, name), "");
    const { status, out, err } = await classify(root);
    const [, ...lines] = out.trimEnd().split("\n");
    const names = ["b.jpe", "folder.jpg/a.PNG", ...[0, 1, 2, 3].map((i) => `linked/${i}.png`)];
    expect(lines.map((line) => line.split(",")[0])).toEqual(names.map((name) => join(root, name)));
    expect([status, err]).toEqual([
      0,
      `${root}: left out 1 file that is no picture (.txt), 1 hidden file, 1 link that leads nowhere new\n`,
    ]);
    await rm(join(root, "folder.jpg"), { recursive: true });
    for (const name of ["b.jpe", "linked"]) await rm(join(root, name));
    expect((await classify(root)).err).toContain("this folder has no picture, but 1 file that is no picture");
  });

  test("names an address that a server does not have", async () => {
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0);
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cat.jpg`;
    const { status, err } = await classify(url);
    server.close();
    expect([status, err]).toEqual([1, expect.stringMatching(/cat\.jpg.*404/)]);
  });
});

describe("a folder of pictures", () => {
  test.each([
    ["Train", "Testing"],
    ["training", "valid"],
    ["TRAIN", "Val"],
    ["train", "validation"],
  ])("has parts called %s and %s", async (training, testing) => {
    const root = at(`${training}-${testing}`);
    await pictures(join(root, training), ["blue", "red"]);
    await pictures(join(root, testing), ["blue", "red"]);
    await writeFile(join(root, testing, "red", "labels.csv"), "");
    const counted = async (split: string) => {
      const args = ["--weights", at("two.safetensors"), "--split", split, "--json"];
      const { status, out, err } = await shadegrad("eval", "--dataset", root, ...args);
      return [
        status,
        JSON.parse(out || "{}").images,
        err.includes("left out 1 file that is no picture (.csv)"),
      ];
    };
    expect(await counted("train")).toEqual([0, 8, false]);
    expect(await counted("test")).toEqual([0, 8, true]);
  });
});

test("convert gives PyTorch the variances for its own epsilon", async () => {
  const keras = join(import.meta.dirname, "../../resnet/test/checkpoints/files/keras-eps/model.json");
  const { status, err } = await shadegrad("convert", keras, at("keras.safetensors"));
  expect(status, err).toBe(0);
  const variance = async (path: string, name: string) => {
    const file = await openCheckpoint(path);
    const { data } = await file.tensors.get(name)!.read();
    await file.close();
    return [...(data as Float32Array)];
  };
  const own = await variance(keras, "conv1_bn/moving_variance");
  const found = await variance(at("keras.safetensors"), "bn1.running_var");
  expect(found.length).toBe(own.length);
  for (const [i, value] of own.entries()) expect(found[i]).toBeCloseTo(value + 1e-3 - 1e-5, 6);
});
