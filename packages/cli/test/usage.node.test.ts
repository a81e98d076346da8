import { describe, expect, test } from "vitest";
import { commandNames, shadegrad } from "./shadegrad.ts";

const COMMANDS = commandNames();

describe("help", () => {
  test.each([[], ...COMMANDS.map((command) => [command])])("shadegrad %s --help", async (...command) => {
    const { status, out, err } = await shadegrad(...command, "--help");
    expect([status, err]).toEqual([0, ""]);
    expect(out).toMatchSnapshot();
    const widths = out.split("\n").map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    if (command.length > 0) expect(out).toContain("--json");
  });

  test("without arguments it is an error", async () => {
    const { status, out, err } = await shadegrad();
    expect([status, out]).toEqual([2, ""]);
    expect(err).toContain("classify [options] <image...>");
  });
});

test("--version", async () => {
  const { status, out, err } = await shadegrad("--version");
  expect([status, err]).toEqual([0, ""]);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe("arguments that make no sense: exit code 2, and what there is", () => {
  const cases: [string, string][] = [
    [
      "clasify",
      `shadegrad: unknown command 'clasify'. Did you mean classify?\nCommands: ${COMMANDS.join(", ")}.`,
    ],
    [
      "train --epoch 3",
      "shadegrad train: unknown option '--epoch'. Did you mean --epochs?\nOptions: --model, --shortcut, --weights, --new-head, --freeze, --dataset, --limit, --validation, --recipe, --epochs, --steps, --batch, --optimizer, --lr, --weight-decay, --schedule, --label-smoothing, --no-augment, --precision, --seed, --out, --resume, --json, --help.",
    ],
    ["--foo", "shadegrad: unknown option '--foo'.\nOptions: --version, --help."],
    ["info --foo", "shadegrad info: unknown option '--foo'.\nOptions: --json, --help."],
    [
      "classify --fast x.png",
      "shadegrad classify: unknown option '--fast'.\nOptions: --model, --weights, --shortcut, --precision, --top, --csv, --json, --help.",
    ],
    [
      "classify",
      "shadegrad classify: missing required argument 'image'.\nshadegrad classify --help says more.",
    ],
    [
      "classify --weights= x.png",
      "shadegrad classify: option '--weights <file>' is empty.\nshadegrad classify --help says more.",
    ],
    ["classify ", "shadegrad classify: an argument is empty.\nshadegrad classify --help says more."],
    [
      "eval 5",
      "shadegrad eval: too many arguments for 'eval'. Expected 0 arguments but got 1.\nshadegrad eval --help says more.",
    ],
    [
      "eval --limit 1.5",
      "shadegrad eval: option '--limit <n>' argument '1.5' is invalid. It must be a whole number ≥ 1.\nshadegrad eval --help says more.",
    ],
    [
      "eval --mean 1,2",
      "shadegrad eval: option '--mean <r,g,b>' argument '1,2' is invalid. It must be three numbers, as in 0.5,0.5,0.5.\nshadegrad eval --help says more.",
    ],
    [
      "train --precision bf16",
      "shadegrad train: option '--precision <type>' argument 'bf16' is invalid. Allowed choices are f32, f16.\nshadegrad train --help says more.",
    ],
    [
      "eval --split none",
      "shadegrad eval: option '--split <part>' argument 'none' is invalid. Allowed choices are train, test.\nshadegrad eval --help says more.",
    ],
    [
      "train --epochs 1 --steps 2",
      "shadegrad train: option '--steps <n>' cannot be used with option '--epochs <n>'.\nshadegrad train --help says more.",
    ],
    [
      "train --label-smoothing 2",
      "shadegrad train: option '--label-smoothing <share>' argument '2' is invalid. It must be a number from 0 to 1.\nshadegrad train --help says more.",
    ],
    [
      "eval --logits scores.csv",
      "shadegrad eval: option '--logits <file.npy>' argument 'scores.csv' is invalid. The output is .npy, and its name must end so.\nshadegrad eval --help says more.",
    ],
    [
      "convert in.pth out.pth",
      "shadegrad convert: command-argument value 'out.pth' is invalid for argument 'out'. The output is .safetensors, and its name must end so.\nshadegrad convert --help says more.",
    ],
    [
      "export net.pth",
      "shadegrad export: command-argument value 'net.pth' is invalid for argument 'out'. The output is .onnx, and its name must end so.\nshadegrad export --help says more.",
    ],
    [
      "summary resnet51",
      "shadegrad summary: command-argument value 'resnet51' is invalid for argument 'model'. Did you mean resnet50? There are resnet8 resnet18 resnet20 resnet32 resnet34 resnet44 resnet50 resnext50 wideResnet50 resnet56 resnet101 resnet110 resnet152.\nshadegrad summary --help says more.",
    ],
  ];
  test.each(cases)("%s", async (args, message) => {
    const { status, out, err } = await shadegrad(...args.split(" "));
    expect([status, out, err]).toEqual([2, "", `${message}\n`]);
  });
});
