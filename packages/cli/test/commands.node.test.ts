import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectCheckpoint, loadCheckpoint, resnet8, saveCheckpoint } from "@shadegrad/resnet";
import { init, manualSeed, noGrad, scope, tensor } from "@shadegrad/tensor";
import { readNpy } from "@shadegrad/tensor/formats";
import { dispose, evaluate, stateDict } from "@shadegrad/tensor/nn";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pictures } from "./pictures.ts";
import { shadegrad } from "./shadegrad.ts";

let folder: string;
let adapter: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  adapter = (await init({ quiet: true })).name;
  folder = await mkdtemp(join(tmpdir(), "shadegrad-cli-"));
  for (const split of ["train", "test"]) await pictures(at("data", split), ["blue", "red"]);
  manualSeed(1);
  const net = resnet8();
  const preprocessing = {
    channels: "bgr",
    range: 255,
    mean: [100, 110, 120],
    std: [50, 60, 70],
  } as const;
  await saveCheckpoint(net, at("plain.safetensors"));
  await saveCheckpoint(net, at("noted.safetensors"), { preprocessing });
  dispose(net);
  const two = resnet8({ classes: 2 });
  await saveCheckpoint(two, at("two.safetensors"));
  dispose(two);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("info tells of adapter, features, limits and peaks", async () => {
  const { status, out } = await shadegrad("info", "--json");
  const found = JSON.parse(out);
  expect([status, found.adapter]).toEqual([0, adapter]);
  expect(found.peak.gflops).toBeGreaterThan(0.1);
  expect(found.peak.gbytes).toBeGreaterThan(0.01);
  expect(found.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
  const text = await shadegrad("info");
  expect(text.out).toMatch(new RegExp(`^adapter +${adapter.replace(/[^\w ]/g, ".")}\nkind +`));
});

describe("classify", () => {
  test("draws bars, and tells of pictures that it cannot read; the others are classified", async () => {
    await writeFile(at("empty.png"), "");
    await writeFile(at("half.png"), (await readFile(at("data/test/red/0.png"))).subarray(0, 70));
    const red = at("data/test/red/0.png");
    const images = [red, at("missing.jpg"), at("empty.png"), at("half.png"), red];
    const weights = ["--weights", at("plain.safetensors"), "--top", "3"];
    const { status, out, err } = await shadegrad("classify", ...images, ...weights);
    expect(status).toBe(1);
    const blocks = out.split("\n\n");
    expect(blocks).toHaveLength(3);
    expect(blocks[0]).toBe(blocks[1]);
    expect(blocks[0]!.split("\n").slice(1).join("\n")).toMatch(
      /^( {2} *\d+\.\d % {2}[█▏▎▍▌▋▊▉ ]{30} (airplane|automobile|bird|cat|deer|dog|frog|horse|ship|truck)\n?){3}$/,
    );
    expect(blocks[2]).toMatch(/^resnet8 \(.*plain\.safetensors\):\n2 pictures in \d+\.\d s\non /);
    const complaints = err.replaceAll(`${folder}/`, "").trim().split("\n\n");
    expect(complaints).toEqual([
      "shadegrad classify: missing.jpg: there is no such file.",
      "shadegrad classify: decode: empty.png is empty.",
      expect.stringMatching(/^shadegrad classify: decode: half\.png is no picture that can be read: .*\.$/),
    ]);
  });

  test("takes folders, as CSV; an empty one is refused", async () => {
    const weights = ["--weights", at("plain.safetensors"), "--top", "2", "--csv"];
    const { status, out, err } = await shadegrad("classify", at("data/test"), ...weights);
    expect([status, err]).toEqual([0, ""]);
    const [head, ...lines] = out.trimEnd().split("\n");
    expect(head).toBe("image,rank,class,label,probability");
    const names = ["blue/0", "blue/1", "blue/2", "blue/3", "red/0", "red/1", "red/2", "red/3"];
    expect(lines.map((line) => line.replace(/,\d,\w+,[\d.e-]+$/, ""))).toEqual(
      names.flatMap((name) => [1, 2].map((rank) => `${at("data/test")}/${name}.png,${rank}`)),
    );
    const empty = await mkdtemp(join(folder, "empty-"));
    const refused = await shadegrad("classify", empty);
    expect([refused.status, refused.err]).toEqual([
      1,
      `shadegrad classify: ${empty}: this folder has no picture.\n`,
    ]);
  });

  test("a URL that fails is named, with the cause", async () => {
    const url = "http://127.0.0.1:9/cat.jpg";
    const { status, err } = await shadegrad("classify", url, "--weights", at("plain.safetensors"));
    expect(status).toBe(1);
    expect(err).toMatch(
      /^shadegrad classify: source: http:\/\/127\.0\.0\.1:9\/cat\.jpg cannot be fetched: .+\.\n/,
    );
  });

  test("labels out of a file do not reach the terminal as escapes", async () => {
    manualSeed(1);
    const net = resnet8({ classes: 2 });
    const classes = JSON.stringify(["\u001b]0;title\u0007cat\u001b[2J", "\u202egod\u009b31m"]);
    const metadata = { training: JSON.stringify({ classes }) };
    await saveCheckpoint(net, at("escapes.safetensors"), { metadata });
    dispose(net);
    const weights = ["--weights", at("escapes.safetensors")];
    for (const form of [[], ["--csv"], ["--json"]]) {
      const { out } = await shadegrad("classify", at("data/test/red/0.png"), ...weights, ...form);
      expect(out).not.toMatch(/(?!\n)\p{Cc}/u);
      if (form[0] !== "--json") expect(out).toContain("\\x1b]0;title\\x07cat\\x1b[2J");
    }
    const { err } = await shadegrad("eval", "--dataset", at("data"), ...weights);
    expect(err).toContain("cat");
    expect(err).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  test("as JSON, with the net's own preprocessing", async () => {
    const image = at("data/test/blue/1.png");
    const weights = ["--weights", at("noted.safetensors")];
    const { status, out, err } = await shadegrad("classify", image, at("missing.jpg"), ...weights, "--json");
    expect([status, err]).toEqual([
      1,
      `shadegrad classify: ${at("missing.jpg")}: there is no such file.\n\n`,
    ]);
    const found = JSON.parse(out);
    expect(found).toMatchObject({ model: "resnet8", adapter, weights: at("noted.safetensors") });
    expect(found.images[1]).toEqual({
      image: at("missing.jpg"),
      error: `${at("missing.jpg")}: there is no such file.`,
    });
    const [{ top }] = found.images;
    expect(top).toHaveLength(5);

    // Preprocessing of the file: blue, green, red; from 0 to 255.
    const { data: pixels } = await sharp(image).raw().toBuffer({ resolveWithObject: true });
    const { cropCentre, resizeShorter } = await import("@shadegrad/resnet");
    const decoded = { pixels: new Uint8Array(pixels), width: 40, height: 36 };
    const small = cropCentre(resizeShorter(decoded, 32), 32).pixels;
    const input = Float32Array.from(small, (_, i) => {
      const c = i % 3;
      return (small[i - c + 2 - c]! - [100, 110, 120][c]!) / [50, 60, 70][c]!;
    });
    const net = evaluate(resnet8());
    await loadCheckpoint(net, at("plain.safetensors"));
    const logits = noGrad(() => scope(() => net.forward(tensor(input, [1, 32, 32, 3]))));
    const scores = Array.from(await logits.data());
    dispose(net);
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    for (const guess of top) expect(guess.probability).toBeCloseTo(Math.exp(scores[guess.class]!) / total, 4);
    expect(top[0].class).toBe(scores.indexOf(Math.max(...scores)));
  });

  test("weights that do not fit, or are none", async () => {
    const image = at("data/test/red/0.png");
    const weights = ["--weights", at("plain.safetensors")];
    const other = await shadegrad("classify", image, ...weights, "--model", "resnet20");
    expect([other.status, other.err]).toEqual([
      1,
      `shadegrad classify: ${at("plain.safetensors")} holds a resnet8, not the resnet20 that --model names.\n`,
    ]);
    const none = await shadegrad("classify", image, "--weights", image);
    expect([none.status, none.err]).toEqual([
      1,
      `shadegrad classify: ${image} is a PNG image; expected safetensors, a PyTorch checkpoint or a TensorFlow.js model.json.\n`,
    ]);
    const missing = await shadegrad("classify", image, "--weights", at("none.pt"));
    expect([missing.status, missing.err]).toEqual([
      1,
      `shadegrad classify: ${at("none.pt")}: there is no such file.\n`,
    ]);
    const unknown = await shadegrad("classify", image, "--model", "resnet110");
    expect(unknown.status).toBe(1);
    expect(unknown.err).toMatch(
      /^shadegrad classify: there are no weights of resnet110 here; --weights names a file with some\. Without it, there are resnet50/,
    );
  });
});

describe("eval", () => {
  const weights = () => ["--weights", at("two.safetensors"), "--dataset", at("data")];

  test("JSON has what was promised; logits are in the data's order, whatever the batch", async () => {
    const all = await shadegrad("eval", ...weights(), "--logits", at("all.npy"), "--json");
    expect([all.status, all.err]).toEqual([0, ""]);
    const found = JSON.parse(all.out);
    expect(Object.keys(found)).toEqual(["images", "top1", "top5", "imagesPerSecond", "adapter"]);
    expect(found).toMatchObject({ images: 8, adapter });

    const some = ["--limit", "5", "--batch", "2", "--logits", at("some.npy")];
    const { status, out } = await shadegrad("eval", ...weights(), ...some);
    expect(status).toBe(0);
    expect(out).toMatch(
      /^net +resnet8, weights from .*\ndata +.* test, 5 images\npixels +normalized as usual .*\ntop 1 +\d+\.\d\d %\nspeed/,
    );
    const [whole, part] = [await readNpy(at("all.npy")), await readNpy(at("some.npy"))];
    expect([whole.shape, part.shape]).toEqual([
      [8, 2],
      [5, 2],
    ]);
    const expected = Array.from(whole.data as Float32Array).slice(0, 10);
    Array.from(part.data as Float32Array).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i]!, 4);
    });
  });

  test("mean and deviation count", async () => {
    const plain = [
      "--mean",
      "0,0,0",
      "--std",
      "1,1,1",
      "--limit",
      "2",
      "--logits",
      at("plain.npy"),
      "--json",
    ];
    await shadegrad("eval", ...weights(), ...plain);
    const usual = await readNpy(at("all.npy"));
    expect((await readNpy(at("plain.npy"))).data[0]).not.toBeCloseTo(Number(usual.data[0]), 3);
  });

  test("data that are not there", async () => {
    const { status, err } = await shadegrad(
      "eval",
      "--weights",
      at("plain.safetensors"),
      "--dataset",
      "cifar",
    );
    expect([status, err]).toEqual([
      1,
      "shadegrad eval: there is no data set cifar: it is cifar10, or a folder of pictures by class.\n",
    ]);
  });
});

test("an option of train changes one thing of a recipe, and leaves the rest", async () => {
  const lossWith = async (name: string, ...more: string[]) => {
    const net = [
      "--model",
      "resnet8",
      "--dataset",
      at("data"),
      "--batch",
      "4",
      "--steps",
      "3",
      "--validation",
      "0",
    ];
    const said = await shadegrad("train", ...net, "--recipe", "short", "--out", at(name), ...more);
    expect(said.status, said.err).toBe(0);
    const [start] = (await readFile(at(name, "metrics.jsonl"), "utf8")).split("\n");
    const { weightDecay, nesterov, optimizer } = JSON.parse(start!).settings;
    return { weightDecay, nesterov, optimizer, loss: /^loss +(\S+)/m.exec(said.out)![1] };
  };
  const plain = await lossWith("plain");
  expect(plain).toMatchObject({ weightDecay: "0.0005", nesterov: "1", optimizer: "SGD" });
  // The recipe's own setting.
  expect(
    await lossWith("same", "--optimizer", "sgd", "--schedule", "one-cycle", "--weight-decay", "5e-4"),
  ).toEqual(plain);
  expect(await lossWith("decay", "--weight-decay", "0.5")).toMatchObject({
    weightDecay: "0.5",
    nesterov: "1",
  });
  expect(await lossWith("adam", "--optimizer", "adamw")).toMatchObject({ optimizer: "AdamW" });
}, 120_000);

test("train, go on, and use what was trained", async () => {
  const options = [
    "--model",
    "resnet8",
    "--dataset",
    at("data"),
    "--batch",
    "4",
    "--lr",
    "0.01",
    "--no-augment",
  ];
  const train = (...more: string[]) => shadegrad("train", ...options, "--out", at("run"), ...more);
  const first = await train("--schedule", "constant", "--epochs", "2", "--json");
  expect(first.status, first.err).toBe(0);
  const { done, step, epochs } = JSON.parse(first.out);
  expect([done, step, epochs.length]).toEqual([true, 4, 2]);
  expect(epochs[1].validation.top1).toBeGreaterThanOrEqual(0);
  for (const file of ["checkpoint.safetensors", "report.html", "metrics.jsonl"]) {
    expect((await stat(at("run", file))).size).toBeGreaterThan(100);
  }

  const again = await train("--epochs", "2");
  expect([again.status, again.out]).toEqual([1, ""]);
  expect(again.err).toMatch(/shadegrad train: --out .*run has the checkpoint of a training already\./);

  const on = await train("--schedule", "constant", "--epochs", "3", "--resume");
  expect(on.status, on.err).toBe(0);
  expect(on.out).toMatch(/^trained +6 of 6 steps in /);

  // Labels and normalisation are those of the training.
  const image = at("data/test/red/3.png");
  const { out } = await shadegrad("classify", image, "--weights", at("run", "model.safetensors"), "--json");
  const labels = JSON.parse(out).images[0].top.map(({ label }: { label: string }) => label);
  expect(labels.sort()).toEqual(["blue", "red"]);
  const judged = await shadegrad(
    "eval",
    "--weights",
    at("run", "model.safetensors"),
    "--dataset",
    at("data"),
    "--json",
  );
  expect(judged.status).toBe(0);
  const records = (await readFile(at("run", "metrics.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const last = records.filter(({ kind }) => kind === "epoch").at(-1);
  expect(JSON.parse(judged.out).top1).toBe(last.validation.top1);
});

test("summary", async () => {
  const { status, out } = await shadegrad("summary", "resnet20");
  expect(status).toBe(0);
  expect(out.split("\n").at(-3)).toMatch(/^all +269,722 +40\.6 M +/);
  const large = await shadegrad("summary", "resnet18", "--input", "64", "--classes", "7", "--json");
  const { model, inputShape, parameters } = JSON.parse(large.out);
  expect([model, inputShape, parameters]).toEqual(["resnet18", [1, 64, 64, 3], 11_180_103]);
});

test("convert", async () => {
  const to = at("converted.safetensors");
  const pt = join(import.meta.dirname, "../../resnet/test/checkpoints/files/kinds.pt");
  const { status, out } = await shadegrad("convert", at("noted.safetensors"), to, "--json");
  expect(status).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    model: "resnet8",
    format: "safetensors",
    out: to,
    unlikeTorchvision: [],
  });
  const info = await inspectCheckpoint(to);
  expect(info.metadata.get("preprocessing")).toBe(
    (await inspectCheckpoint(at("noted.safetensors"))).metadata.get("preprocessing"),
  );
  const [before, after] = [resnet8(), resnet8()];
  await loadCheckpoint(before, at("plain.safetensors"));
  await loadCheckpoint(after, to);
  for (const [name, value] of stateDict(before)) {
    expect(await stateDict(after).get(name)!.data(), name).toEqual(await value.data());
  }
  const none = await shadegrad("convert", pt, to);
  expect(none.status).toBe(1);
  expect(none.err).toContain(
    `${pt} has the names of no known ResNet; name the net with --model. It has 15 tensors, `,
  );
  expect(none.err).toContain("Looked for conv1.weight (torchvision), ");
});

describe("tune", () => {
  test("tells which variants are the fastest, in 80 columns", async () => {
    const { status, out, err } = await shadegrad("tune", "--model", "resnet8", "--size", "16");
    expect(status, err).toBe(0);
    expect(err).toMatch(/^resnet8, 16×16 ×1\non .+\n/);
    const lines = out.split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    // Three channels are four for kernels that read fours.
    expect(out).toMatch(/^conv2d 3×3 [34]→16 16×16 ×1 +\*?\w.* \d+ /m);
    expect(out).toMatch(/^matmul 1×64 · 64×10 /m);
  });

  test("as JSON, for a step of training", async () => {
    const options = ["--size", "8", "--batch", "2", "--training"];
    const { status, out, err } = await shadegrad("tune", "--model", "resnet8", ...options, "--json");
    expect(status, err).toBe(0);
    const { rows, seconds, ...rest } = JSON.parse(out);
    const what = { model: "resnet8", size: 8, batch: 2, training: true, precision: "f32" };
    expect(rest).toEqual({ ...what, adapter }); // the tests keep nothing
    expect(seconds).toBeGreaterThan(0);
    const kernels = new Set(rows.map(({ kernel }: { kernel: string }) => kernel));
    for (const kernel of ["conv2d", "conv2dInputGrad", "conv2dWeightGrad", "moments", "momentum"]) {
      expect(kernels).toContain(kernel);
    }
    for (const { variant, preferred, others, rejected } of rows) {
      expect(rejected).toEqual([]);
      expect([variant, ...others.map((other: { variant: string }) => other.variant)]).toContain(preferred);
    }
  });
});
