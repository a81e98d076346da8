import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectCheckpoint, resnet8, saveCheckpoint } from "@shadegrad/resnet";
import { init, manualSeed } from "@shadegrad/tensor";
import { readSafetensors } from "@shadegrad/tensor/formats";
import { dispose } from "@shadegrad/tensor/nn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { picture, pictures } from "./pictures.ts";
import { type Said, shadegrad } from "./shadegrad.ts";

let folder: string;
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  await init({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "shadegrad-refusals-"));
  await pictures(at("pets"), ["cat", "dog"], 6);
  await pictures(at("split", "train"), ["cat", "dog"]);
  await pictures(at("split", "val"), ["dog"]); // the second class, and the only one here
  await pictures(at("others"), ["cat", "dog", "yak"]);
  manualSeed(1);
  const training = JSON.stringify({ classes: JSON.stringify(["cat", "dog"]) });
  for (const shortcut of ["pad-end", "projection"] as const) {
    const net = resnet8({ classes: 2, shortcut });
    await saveCheckpoint(net, at(`${shortcut}.safetensors`), { metadata: { training } });
    dispose(net);
  }
  for (const [name, imgChannels] of [
    ["grey", 1],
    ["two", 2],
  ] as const) {
    const net = resnet8({ classes: 2, imgChannels });
    await saveCheckpoint(net, at(`${name}.safetensors`));
    dispose(net);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const train = (...args: readonly string[]): Promise<Said> =>
  shadegrad("train", "--model", "resnet8", "--batch", "4", "--lr", "0.01", ...args);

const evaluate = (...args: readonly string[]): Promise<Said> => shadegrad("eval", ...args);

/** A command fails with a message, paths being as from the folder; nothing was printed, and no stack is shown. */
async function refused(command: Promise<Said>, message: string | RegExp, status = 1): Promise<void> {
  const said = await command;
  const text = said.err
    .replaceAll(`${folder}/`, "")
    .replace(/^(?!shadegrad ).*\n/gm, "")
    .trimEnd();
  expect([said.status, said.out]).toEqual([status, ""]);
  expect(said.err).not.toMatch(/^ +at /m);
  if (typeof message === "string") expect(text).toBe(message);
  else expect(text).toMatch(message);
}

describe("train --resume", () => {
  const begun = { dataset: "pets", validation: "0", epochs: "2", schedule: "constant", out: "run" };
  const resume = (changed: Partial<typeof begun> = {}, ...more: string[]) => {
    const { dataset, out, ...rest } = { ...begun, ...changed };
    const options = Object.entries({ ...rest, dataset: at(dataset), out: at(out) });
    return train(...options.flatMap(([name, value]) => [`--${name}`, value]), "--resume", ...more);
  };
  const advice = [
    "Give the same ones to continue.",
    "For others, name another folder with --out. To start there from these weights:",
    "  --weights run/model.safetensors",
  ];
  const rows = async (command: Promise<Said>, ...expected: string[]) => {
    const { status, out, err } = await command;
    const lines = unwrapped(err).replaceAll(`${folder}/`, "").trimEnd().split("\n").slice(2);
    expect([status, out]).toEqual([1, ""]);
    expect(lines).toEqual(["shadegrad train: run was started with other settings:", ...expected, ...advice]);
  };

  beforeAll(async () => {
    const { status, err } = await resume();
    expect(status, err).toBe(0);
    expect(unwrapped(err)).toContain("run has no checkpoint to resume: the training begins from scratch.");
  });

  test("refuses what decides the weights, all at once with both values", async () => {
    const smoothing = ["--label-smoothing", "0.1", "--weight-decay", "0.5", "--no-augment"];
    await rows(
      resume({}, "--batch", "3", "--seed", "7", "--shortcut", "pad-end", ...smoothing),
      "  --shortcut         pad-both, now pad-end",
      "  --seed             0, now 7",
      "  --batch            4, now 3",
      "  --label-smoothing  0, now 0.1",
      "  --no-augment       pad 4, flip, now none",
      "  --weight-decay     0.0001, now 0.5",
    );
  });

  test.each([
    ["--model", "resnet20", "  --model  resnet8, now resnet20"],
    ["--optimizer", "adam", "  --optimizer  SGD, now Adam"],
    ["--limit", "10", "  --limit  all, now 10"],
  ])("refuses %s %s", (flag, value, row) => rows(resume({}, flag, value), row));

  test("refuses another rate, schedule, recipe or data set of the same size", async () => {
    await rows(
      resume({}, "--lr", "0.02"),
      "  --lr            0.01, now 0.02",
      "  rate of step 1  0.01, now 0.02",
    );
    await rows(
      resume({ schedule: "cosine" }),
      "  --schedule      constant, now cosine",
      "  rate of step 2  0.01, now 0.00933013",
    );
    await rows(
      resume({}, "--recipe", "short"),
      "  --recipe        paper, now short",
      "  --weight-decay  0.0001, now 0.0005",
    );
    await pictures(at("same"), ["cat", "dog"], 5);
    await pictures(at("same"), ["dog"], 7);
    await rows(resume({ dataset: "same" }), "  --dataset  pets, now same");
  });

  test("a folder may move, and pictures in it may not change", async () => {
    const { cp } = await import("node:fs/promises");
    await cp(at("pets"), at("moved"), { recursive: true });
    expect((await resume({ dataset: "moved" })).status).toBe(0);
    await picture(at("moved", "cat", "0.png"), 100, 100);
    const { err } = await resume({ dataset: "moved" });
    expect(unwrapped(err)).toMatch(/ {2}--dataset +\S*pets, now \S*moved\n/);
    await rm(at("moved"), { recursive: true });
  });

  test("goes on for longer, where the rates so far are the same; at the end there is nothing to do", async () => {
    const over = await resume();
    expect([over.status, over.out.split("\n")[0]]).toEqual([
      0,
      expect.stringMatching(/^done before {2}6 of 6 steps in /),
    ]);
    const json = await resume({}, "--json");
    expect(JSON.parse(json.out)).toMatchObject({ done: true, step: 6, begun: 6 });
    await refused(
      resume({ epochs: "1" }),
      "shadegrad train: run/checkpoint.safetensors has 6 steps done, more than the 3 that are asked for. Ask for more, or start in another folder.",
    );

    const longer = { out: "longer", schedule: "steps" };
    expect((await resume({ ...longer, epochs: "4" })).status).toBe(0);
    const { err } = await resume({ ...longer, epochs: "6" });
    expect(err).toContain("  steps in all    12, now 18\n  rate of step 7  0.001, now 0.01\n");
    expect(err).toContain("With --schedule constant, a training can be made longer at any time.\n");
    const on = await resume({ epochs: "3" });
    expect(on.out).toMatch(/^trained +9 of 9 steps in /);
  });
});

describe("train", () => {
  test("needs two classes, and pictures of each", async () => {
    await pictures(at("one"), ["cat"]);
    const needs = "A classifier needs two classes or more, the pictures of each in a subfolder of its name.";
    await refused(
      train("--dataset", at("one"), "--out", at("none")),
      `shadegrad train: one has pictures of one class only, cat. ${needs}`,
    );
    await refused(
      train("--dataset", at("pets"), "--limit", "1", "--out", at("none")),
      `shadegrad train: what is left of pets has pictures of one class only, dog. ${needs}`,
    );
    await mkdir(at("one", "dog"));
    await mkdir(at("one", "horse"));
    await writeFile(at("one", "dog", "._0.png"), "hidden");
    await refused(
      train("--dataset", at("one"), "--out", at("none")),
      /^shadegrad train: one has pictures of one class only, cat\./,
    );
    await picture(at("one", "dog", "0.png"), 1, 2);
    await refused(
      train("--dataset", at("one"), "--out", at("none")),
      "shadegrad train: one has no picture of horse: put some into this subfolder, or remove it.",
    );
    expect(existsSync(at("none"))).toBe(false);
  });

  test("judges by a folder's own pictures, set aside, of each class", async () => {
    const options = ["--dataset", at("pets"), "--steps", "1", "--json"];
    const { status, err } = await train(...options, "--validation", "4", "--out", at("aside"));
    expect(status, err).toBe(0);
    expect(err).toMatch(/^resnet8, 8 images of \S+, 1 steps of 4\non /);
    const report = await readFile(at("aside", "report.html"), "utf8");
    const { confusion } = JSON.parse(/<script>const page = (.*?);\n/.exec(report)![1]!);
    const [a, b, c, d] = confusion.counts;
    expect([confusion.classes, a + b, c + d]).toEqual([["cat", "dog"], 2, 2]);
    await refused(
      train(...options, "--validation", "12", "--out", at("none")),
      "shadegrad train: --validation 12 leaves none of the 12 pictures in pets for training.",
    );
    const none = await train(...options, "--out", at("unjudged"));
    expect(none.err).toContain("has no pictures for validation. --validation N sets N of them aside.\n");
  });

  test("knows classes by name in what it judges by", async () => {
    const { status, err } = await train("--dataset", at("split"), "--steps", "1", "--out", at("named"));
    expect(status, err).toBe(0);
    const report = await readFile(at("named", "report.html"), "utf8");
    const { confusion } = JSON.parse(/<script>const page = (.*?);\n/.exec(report)![1]!);
    expect(confusion.counts.slice(0, 2)).toEqual([0, 0]);
    await pictures(at("strange", "train"), ["cat", "dog"]);
    await pictures(at("strange", "test"), ["bird"]);
    await refused(
      train("--dataset", at("strange"), "--out", at("none")),
      "shadegrad train: strange has pictures of bird for validation, but none for training: those are of cat, dog.",
    );
    await rm(at("strange", "train"), { recursive: true });
    await refused(
      train("--dataset", at("strange"), "--out", at("none")),
      "shadegrad train: strange has a subfolder test, but none called train or training.",
    );
  });

  test("gives weights a new head for other classes, with the base frozen", async () => {
    const weights = ["--weights", at("pad-end.safetensors"), "--dataset", at("others")];
    const options = ["--new-head", "--freeze", "base", "--epochs", "1", "--out", at("fine")];
    const { status, err } = await shadegrad(
      "train",
      ...weights,
      ...options,
      "--batch",
      "4",
      "--recipe",
      "short",
    );
    expect([status, /^(\w+), 12 images of/m.exec(err)?.[1]]).toEqual([0, "resnet8"]);
    const [before, after] = await Promise.all(
      ["pad-end.safetensors", "fine/model.safetensors"].map(async (name) =>
        readSafetensors(await readFile(at(name))),
      ),
    );
    expect(after!.get("fc.weight")!.shape[0]).toBe(3);
    for (const [name, { data }] of before!) {
      if (!name.startsWith("fc.")) expect(after!.get(name)?.data, name).toEqual(data);
    }
    const { metadata } = await inspectCheckpoint(at("fine/model.safetensors"));
    expect(JSON.parse(metadata.get("labels")!)).toEqual(["cat", "dog", "yak"]);
    await refused(
      shadegrad("train", "--dataset", at("others"), "--new-head", "--out", at("none")),
      "shadegrad train: --new-head needs --weights, whose head is replaced.",
    );
  });

  test("begins from weights that fit, with their shortcuts", async () => {
    const options = ["--dataset", at("pets"), "--steps", "1", "--validation", "0"];
    const from = (name: string, ...more: string[]) => train(...options, "--weights", at(name), ...more);
    const { status, err } = await from("pad-end.safetensors", "--out", at("from"));
    expect(status, err).toBe(0);
    const [start] = (await readFile(at("from", "metrics.jsonl"), "utf8")).split("\n");
    expect(JSON.parse(start!).settings.shortcut).toBe("pad-end");
    await refused(
      from("pad-end.safetensors", "--shortcut", "pad-both", "--out", at("none")),
      "shadegrad train: the shortcuts of pad-end.safetensors are pad-end, not the pad-both that --shortcut names.",
    );
    await refused(
      from("pad-end.safetensors", "--dataset", at("others"), "--out", at("none")),
      "shadegrad train: pad-end.safetensors has 2 classes, and the data have 3, cat, dog, yak. --new-head replaces its head.",
    );
    await refused(
      from("pad-end.safetensors", "--model", "resnet20", "--out", at("none")),
      "shadegrad train: pad-end.safetensors holds a resnet8, not the resnet20 that --model names.",
    );
  });

  test("looks at --out before anything else", async () => {
    await writeFile(at("file"), "");
    await refused(
      train("--dataset", at("pets"), "--out", at("file")),
      "shadegrad train: --out file: this is a file, and must be a folder.",
    );
    await refused(
      train("--dataset", at("pets"), "--out", at("file", "deeper")),
      "shadegrad train: --out file/deeper: file is a file, and must be a folder.",
    );
    await mkdir(at("used"));
    await writeFile(at("used", "checkpoint.safetensors"), "");
    await refused(
      train("--dataset", at("pets"), "--out", at("used")),
      "shadegrad train: --out used has the checkpoint of a training already. Continue it with --resume, or name another folder.",
    );
  });
});

describe("eval", () => {
  const weights = () => ["--weights", at("pad-end.safetensors")];

  test("refuses weights of other classes, and says which fit", async () => {
    const fit = "--model resnet20 or resnet8 has weights that fit, and --weights names a file with others.";
    await refused(
      evaluate("--model", "resnet50"),
      `shadegrad eval: ImageNet's ResNet-50 has 1000 classes, tench, goldfish, …, and cifar10 has 10, airplane, automobile, bird, cat and 6 others. ${fit}`,
    );
    await refused(
      evaluate(...weights(), "--dataset", at("others")),
      /^shadegrad eval: resnet8 \(pad-end\.safetensors\) has 2 classes, cat, dog, and others has 3, cat, dog, yak\. --weights names a file of a net that was trained for them\.$/,
    );
    await refused(
      evaluate("--weights", at("two.safetensors"), "--dataset", at("pets")),
      "shadegrad eval: the net takes images of 2 channels, and those of pets have 3. The weights are from two.safetensors.",
    );
  });

  test("shows a net of one channel the pictures in grey", async () => {
    const { status, out } = await evaluate(
      "--weights",
      at("grey.safetensors"),
      "--dataset",
      at("pets"),
      "--json",
    );
    expect([status, JSON.parse(out).images]).toEqual([0, 12]);
  });

  test("knows classes by name", async () => {
    // Only the second of two classes has pictures here.
    await pictures(at("dogs"), ["dog"]);
    const one = await evaluate(...weights(), "--dataset", at("dogs"), "--json");
    expect(one.status, one.err).toBe(0);
    const both = await evaluate(...weights(), "--dataset", at("split"), "--split", "train", "--json");
    const { top1 } = JSON.parse(both.out);
    // The net has not been trained: it takes all for one class, and is right half of the time.
    expect(top1).toBe(0.5);
    const all = await evaluate(...weights(), "--dataset", at("dogs"), "--logits", at("dogs.npy"), "--json");
    const { readNpy } = await import("@shadegrad/tensor/formats");
    const { data } = await readNpy(at("dogs.npy"));
    const dog = Array.from({ length: 4 }, (_, n) => Number(data[2 * n + 1]) > Number(data[2 * n]));
    expect(JSON.parse(all.out).top1).toBe(dog.filter(Boolean).length / 4);
  });

  test("refuses shortcuts other than those that the weights tell", async () => {
    await refused(
      evaluate(...weights(), "--dataset", at("pets"), "--shortcut", "pad-both"),
      "shadegrad eval: the shortcuts of pad-end.safetensors are pad-end, not the pad-both that --shortcut names.",
    );
    await refused(
      evaluate("--weights", at("projection.safetensors"), "--dataset", at("pets"), "--shortcut", "pad-end"),
      "shadegrad eval: the shortcuts of projection.safetensors are projection, not the pad-end that --shortcut names.",
    );
    expect(
      (await evaluate(...weights(), "--dataset", at("pets"), "--shortcut", "pad-end", "--json")).status,
    ).toBe(0);
  });

  test("looks at --logits and --weights before anything else", async () => {
    const logits = (path: string) => evaluate(...weights(), "--dataset", at("pets"), "--logits", path);
    await refused(
      logits(at("nowhere", "x.npy")),
      "shadegrad eval: --logits nowhere/x.npy: there is no folder nowhere; make it first.",
    );
    await refused(logits(at("pets")), "shadegrad eval: --logits pets: this is a folder; name a file in it.");
    await refused(
      evaluate("--weights", folder, "--dataset", at("pets")),
      /^shadegrad eval: \S+: this is a folder; weights are a file, as (grey|pad-end|projection|two)\.safetensors or .* is\.$/,
    );
    expect((await train("--dataset", at("pets"), "--steps", "1", "--out", at("trained"))).status).toBe(0);
    await refused(
      evaluate("--weights", at("trained", "checkpoint.safetensors"), "--dataset", at("pets")),
      "shadegrad eval: trained/checkpoint.safetensors is the checkpoint of a training; its weights are in trained/model.safetensors.",
    );
    await refused(
      evaluate("--weights", at("pets"), "--dataset", at("pets")),
      "shadegrad eval: pets: this is a folder; weights are a file.",
    );
  });
});

describe("convert", () => {
  const convert = (to: string, ...more: string[]) =>
    shadegrad("convert", at("pad-end.safetensors"), at(to), ...more);

  test("refuses what it would notice too late", async () => {
    await refused(
      convert("nowhere/x.safetensors"),
      "shadegrad convert: nowhere/x.safetensors: there is no folder nowhere; make it first.",
    );
    await refused(convert("pets"), "shadegrad convert: pets: this is a folder; name a file in it.");
    await refused(
      convert("new.safetensors", "--shortcut", "pad-both"),
      "shadegrad convert: the shortcuts of pad-end.safetensors are pad-end, not the pad-both that --shortcut names.",
    );
    expect(existsSync(at("new.safetensors"))).toBe(false);
    await refused(
      shadegrad("convert", at("pets"), at("new.safetensors")),
      "shadegrad convert: pets: this is a folder; weights are a file.",
    );
  });
});

/** Text whose lines were not cut at the terminal's width: how long a path is depends on the machine. */
const unwrapped = (text: string): string => text.replaceAll(/\n {10,}(?=\S)/g, " ");
