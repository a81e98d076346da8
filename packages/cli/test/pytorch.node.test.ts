import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResNet, recipes, resnet8, saveCheckpoint, zoo } from "@shadegrad/resnet";
import { init, manualSeed, noGrad, randn } from "@shadegrad/tensor";
import { readSafetensors, save, toFloat32, writeSafetensors } from "@shadegrad/tensor/formats";
import { dispose, evaluate } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needsTorch, python } from "./python.ts";
import { shadegrad } from "./shadegrad.ts";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
beforeAll(async () => {
  await init({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "shadegrad-pytorch-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("export --pytorch writes weights, settings and scripts", async () => {
  const args = ["--model", "resnet8", "--recipe", "short", "--steps", "40", "--json"];
  const { status, out, err } = await shadegrad("export", "--pytorch", at("net"), ...args);
  expect([status, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ model: "resnet8", recipe: "short", steps: 40, batchSize: 64 });
  const files = ["model.safetensors", "nets.py", "settings.json", "train.py", "weights.py"];
  expect((await readdir(at("net"))).sort()).toEqual(files);

  const settings = JSON.parse(await readFile(at("net", "settings.json"), "utf8"));
  expect(settings).toMatchObject({
    net: { nBlocks: [1, 1, 1], classes: 10, shortcut: "pad-both" },
    optimizer: { momentum: 0.9, weight_decay: 5e-4, nesterov: true },
    image: { size: 32, resize: 32, channels: "rgb", range: 1, pad: 4, flip: true },
  });
  const net = resnet8();
  const { schedule } = recipes.short(net, { images: 50_000, steps: 40 });
  const rates = (settings.rates as [number, number][]).flatMap(([count, rate]) => Array(count).fill(rate));
  expect(rates).toEqual(Array.from({ length: 40 }, (_, step) => schedule!(step)));
  dispose(net);
});

test("a folder in the place of one of the files is named", async () => {
  await mkdir(at("taken", "settings.json"), { recursive: true });
  const { status, err } = await shadegrad("export", "--pytorch", at("taken"), "--model", "resnet8");
  expect([status, err]).toEqual([
    1,
    `shadegrad export: ${at("taken", "settings.json")}: this is a folder.\n`,
  ]);
});

test("no option of the other format", async () => {
  for (const [args, message] of [
    [["--pytorch", at("none"), "--batch-norm", "fold"], "option '--batch-norm' cannot be used with PyTorch"],
    [[at("none.onnx"), "--recipe", "short"], "option '--recipe' cannot be used with ONNX"],
    [[at("none.onnx"), "--steps", "3"], "option '--steps' cannot be used with ONNX"],
  ] as const) {
    const { status, out, err } = await shadegrad("export", ...args);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  }
  expect((await readdir(folder)).filter((name) => name.startsWith("none"))).toEqual([]);
});

test("either a file or --pytorch", async () => {
  for (const args of [[], ["net.onnx", "--pytorch", "net"]]) {
    const { status, err } = await shadegrad("export", ...args);
    expect([status, err]).toEqual([
      2,
      "shadegrad export: either a file .onnx or --pytorch with a folder has to be named.\nshadegrad export --help says more.\n",
    ]);
  }
});

/** Loads the folder's net strictly and runs it on x.safetensors; prints the class of the net. */
const FORWARD = `
import json, sys
sys.path.insert(0, sys.argv[1])
import torch, nets, weights
net = nets.build(json.load(open(sys.argv[1] + "/settings.json"))["net"]).eval()
net.load_state_dict(weights.load(sys.argv[1] + "/model.safetensors")[0], strict=True)
with torch.no_grad():
    y = net(weights.load(sys.argv[1] + "/x.safetensors")[0]["x"].permute(0, 3, 1, 2))
weights.save(sys.argv[1] + "/y.safetensors", {"y": y}, {})
print(type(net).__module__)
`;

describe.skipIf(!python)(`PyTorch's net gives the same scores${needsTorch}`, () => {
  const nets = {
    "torchvision.models.resnet": {
      resnet18: () => zoo.resnet18(),
      resnext50: () => zoo.resnext50({ classes: 7 }),
      wideResnet50: () => zoo.wideResnet50({ classes: 7 }),
    },
    nets: {
      resnet20: () => zoo.resnet20(),
      "zeros after the channels": () => zoo.resnet8({ shortcut: "pad-end" }),
      plain: () => zoo.resnet8({ shortcut: "none", imgChannels: 1 }),
      "bottlenecks with biases": () =>
        new ResNet({
          nBlocks: [1, 2],
          nChannels: [16, 32],
          bottlenecks: [8, 8],
          strideAt: 1,
          groups: 2,
          classes: 5,
        }),
    },
  };
  for (const [module, made] of Object.entries(nets)) {
    test.each(Object.entries(made))(`${module}: %s`, async (name, make) => {
      manualSeed(3);
      const net = evaluate(make());
      const to = at(name.replaceAll(" ", "-"));
      await saveCheckpoint(net, `${to}.safetensors`);
      const x = randn([2, 40, 48, net.options.imgChannels ?? 3]);
      const ours = await noGrad(() => net.forward(x)).data();
      const host = { dtype: "f32", shape: x.shape, data: (await x.data()) as Float32Array } as const;
      dispose(net);
      const { err } = await shadegrad("export", "--pytorch", to, "--weights", `${to}.safetensors`);
      expect(err).toBe("");
      await save(join(to, "x.safetensors"), writeSafetensors({ x: host }));
      expect(execFileSync(python!, ["-c", FORWARD, to], { encoding: "utf8" }).trim()).toBe(module);

      const theirs = toFloat32((await readSafetensors(join(to, "y.safetensors"))).get("y")!);
      const largest = Math.max(...Array.from(ours, Math.abs));
      const worst = Math.max(...Array.from(ours, (value, i) => Math.abs(value - theirs[i]!)));
      expect(worst / largest).toBeLessThan(1e-5);
    });
  }
});

test.skipIf(!python)(
  `the round of examples/distributed: here, in two processes there, here${needsTorch}`,
  async () => {
    const script = join(import.meta.dirname, "../../../examples/distributed/round.mjs");
    const env = { ...process.env, PYTHON: python! };
    const out = execFileSync(process.execPath, [script, at("round")], { encoding: "utf8", env });
    expect(out).toMatch(/step 60 {2}loss \d.* 2 processes/);
    const { images, top1 } = JSON.parse(out.trim().split("\n").at(-1)!);
    expect(images).toBe(80);
    expect(top1).toBeGreaterThan(0.9);
  },
  600_000,
);
