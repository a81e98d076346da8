import { init } from "@shadegrad/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as resnet from "../src/index.ts";
import { withDefaults } from "../src/training/options.ts";

// biome-ignore lint/suspicious/noExplicitAny: options that the types refuse, and arguments that are never looked at
type Wrong = any;
/** Value that every call gets in place of its options, once it is set. */
let inPlace: { options: unknown } | undefined;
const wrong = (value: unknown): Wrong => (inPlace ? inPlace.options : value);

let net: resnet.ResNet;
beforeAll(async () => {
  await init({ quiet: true });
  net = resnet.resnet8();
});

const { IMAGENET_RESNET50_PACKAGE: npm, ImageSet, zoo } = resnet;
const ofZoo = Object.keys(zoo) as (keyof typeof zoo)[];
const images = () =>
  new ImageSet({ images: new Uint8Array(12), labels: new Uint8Array(1), shape: [2, 2, 3], classes: ["a"] });

/** Calls with a misspelt option, by the function's name. */
const CALLS: readonly (readonly [name: string, call: () => unknown, message: string])[] = [
  ...ofZoo.map(
    (name) =>
      [
        name,
        () => zoo[name](wrong({ clases: 3 })),
        "ResNet: there is no option clases; did you mean classes?",
      ] as const,
  ),
  ["ResNet", () => new resnet.ResNet(wrong({ nBlock: [1] })), "ResNet: .* did you mean nBlocks?"],
  [
    "ResNetBase",
    () => new resnet.ResNetBase(wrong({ stemstrid: 1 })),
    "ResNetBase: .* did you mean stemStride?",
  ],
  [
    "ShortcutProjection",
    () => new resnet.ShortcutProjection(1, 1, 1, wrong({ biass: false })),
    "ShortcutProjection: .* did you mean bias?",
  ],
  [
    "ResidualBlock",
    () => new resnet.ResidualBlock(1, 1, 1, wrong({ groups: 2 })),
    "ResidualBlock: there is no option groups; there are bias, shortcut, zeroInitResidual",
  ],
  [
    "BottleneckResidualBlock",
    () => new resnet.BottleneckResidualBlock(1, 1, 1, 1, wrong({ stride_at: 1 })),
    "BottleneckResidualBlock: .* did you mean strideAt?",
  ],
  ["FastNet", () => new resnet.FastNet(wrong({ width: [1, 1, 1] })), "FastNet: .* did you mean widths?"],
  ["load", () => resnet.load("resnet8", wrong({ onProgress: 1 })), "load: there is no option onProgress"],
  [
    "Classifier",
    () => new resnet.Classifier(net, []).classify([], wrong({ topK: 3 })),
    "classify: there is no option topK; did you mean top?",
  ],
  [
    "exportOnnx",
    () => resnet.exportOnnx(net, wrong({ batchNorms: "keep" })),
    "exportOnnx: .* mean batchNorm?",
  ],
  [
    "onnxChunks",
    () => resnet.onnxChunks(net, wrong({ metaData: {}, x: 1 })),
    "exportOnnx: .* mean metadata?",
  ],
  [
    "saveCheckpoint",
    () => resnet.saveCheckpoint(net, "/nowhere/x", wrong({ metdata: {} })),
    "saveCheckpoint: .* did you mean metadata?",
  ],
  [
    "checkpointBytes",
    () => resnet.checkpointBytes(net, wrong({ preprocesing: {} })),
    "checkpointBytes: .* did you mean preprocessing?",
  ],
  [
    "loadCheckpoint",
    () => resnet.loadCheckpoint(net, "nowhere", wrong({ strickt: false })),
    "loadCheckpoint: .* did you mean strict?",
  ],
  ["batches", () => resnet.batches(images(), wrong({ batchsiz: 1 })).next(), "batches: .* mean batchSize?"],
  ["cifar10", () => resnet.cifar10(wrong({ spilt: "test" })), "cifar10: .* did you mean split?"],
  ["collect", () => resnet.collect([], wrong({ clases: ["a"] })), "collect: .* did you mean classes?"],
  [
    "ImageSet",
    () => new ImageSet(wrong({ ...images(), normalisation: {} })),
    "ImageSet: .* mean normalization?",
  ],
  [
    "imageFolder",
    () => resnet.imageFolder("nowhere", wrong({ sise: 3 })),
    "imageFolder: .* did you mean size?",
  ],
  [
    "imageNetResnet50",
    () => resnet.imageNetResnet50(wrong({ cach: "nowhere" })),
    "imageNetResnet50: .* did you mean cache?",
  ],
  ["cachedPackage", () => resnet.cachedPackage(npm, wrong({ cashe: "" })), "cachedPackage: .* mean cache?"],
  ["npmPackage", () => resnet.npmPackage(npm, wrong({ logs: 1 })), "npmPackage: .* did you mean log?"],
  ...[resnet.paperRecipe, resnet.shortRecipe, resnet.fastRecipe].map(
    (recipe) =>
      [
        recipe.name,
        () => recipe(net, wrong({ images: 1, epoch: 3 })),
        `${recipe.name}: there is no option epoch; did you mean epochs?`,
      ] as const,
  ),
  [
    "evaluateModel",
    () => resnet.evaluateModel(net, images(), wrong({ mirorr: true })),
    "evaluateModel: .* did you mean mirror?",
  ],
  ["train", () => resnet.train(wrong({ model: net, epoch: 1 })), "train: .* did you mean epochs?"],
  ["train", () => resnet.train(wrong({ lookahead: { evry: 5 } })), "lookahead: .* did you mean every?"],
  ["reportPage", () => resnet.reportPage(wrong({ record: [] })), "reportPage: .* did you mean records?"],
  [
    "listening",
    () => resnet.listening(net, wrong({ befor: 1 }), () => 1),
    "listening: .* did you mean before?",
  ],
];

/** Calls with a misspelt augmentation; `null` and `false` in its place are none. */
const AUGMENTING: typeof CALLS = [
  [
    "batches",
    () => resnet.batches(images(), { batchSize: 1, augment: wrong({ flipp: true }) }).next(),
    "augment: .* did you mean flip?",
  ],
  ["windowOf", () => resnet.windowOf(wrong({ padd: 1 }), [0, 0], 0, 0, 0), "augment: .* did you mean pad?"],
  [
    "train",
    () => resnet.train({ model: net, augment: wrong({ edges: "mean" }) } as Wrong),
    "augment: .* did you mean edge?",
  ],
];

const complaintOf = (call: () => unknown): Promise<Error | undefined> =>
  Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (error: Error) => error,
    );

it.each([...CALLS, ...AUGMENTING])("a misspelt option is refused: %s", async (_, call, message) => {
  const error = await complaintOf(call);
  expect(error).toBeInstanceOf(TypeError);
  expect(error?.message).toMatch(new RegExp(message.replaceAll("?", "\\?")));
});

describe.each([null, 5, "x"])("%s in place of options", (options) => {
  beforeAll(() => {
    inPlace = { options };
  });
  afterAll(() => {
    inPlace = undefined;
  });
  it.each(options === null ? CALLS : [...CALLS, ...AUGMENTING])("is refused: %s", async (_, call) => {
    const error = await complaintOf(call);
    expect(error).toBeInstanceOf(TypeError);
    const kind = options === null ? "null" : `a ${typeof options}`;
    expect(error?.message).toMatch(new RegExp(`^[\\w.]+: options are ${kind}, not an object\\.$`));
  });
});

it.each([undefined, null, false])("an augmentation that is %s is none", async (none: Wrong) => {
  expect(resnet.windowOf(none, [4, 6], 0, 0, 0)).toEqual({ top: 2, left: 3, mirrored: false });
  const ofNone = await resnet.batches(images(), { batchSize: 1, augment: none }).next();
  const without = await resnet.batches(images(), { batchSize: 1 }).next();
  expect(ofNone).toEqual(without);
  const options = { model: net, epochs: 1, augment: none } as Wrong;
  expect(withDefaults(options).augment).toBeUndefined();
});

it.each<[string, () => unknown]>([
  [
    "shortcut is identity; there are projection, pad-both, pad-end, none",
    () => zoo.resnet8({ shortcut: wrong("identity") }),
  ],
  [
    "shortcut is Projection; there are",
    () => new resnet.ResidualBlock(1, 2, 2, { shortcut: wrong("Projection") }),
  ],
  ["where is both; there are pad-both, pad-end", () => new resnet.ShortcutPadding(1, 2, 2, wrong("both"))],
  ["strideAt is 3; there are 1, 2", () => zoo.resnet50({ strideAt: wrong(3) })],
  ["edge is Mean; there are mean, reflect", () => resnet.windowOf({ edge: wrong("Mean") }, [0, 0], 0, 0, 0)],
  [
    "flip is always; there are true, false, alternate",
    () => resnet.windowOf({ flip: wrong("always") }, [0, 0], 0, 0, 0),
  ],
  ["split is validation; there are train, test", () => resnet.cifar10({ split: wrong("validation") })],
  ...[-1, 0, 2.5, Number.NaN, "all", null].map((top): [string, () => unknown] => [
    `top is ${top}, not a whole number ≥ 1`,
    () => new resnet.Classifier(net, []).classify([], { top: wrong(top) }),
  ]),
])("a choice that there is not is refused: %s", async (message, call) => {
  const failed = Promise.resolve().then(call);
  await expect(failed).rejects.toBeInstanceOf(RangeError);
  await expect(failed).rejects.toThrow(message);
});

it.each<[string, () => Promise<unknown>]>([
  ["saveCheckpoint: 5 is no path and no stream to write to.", () => resnet.saveCheckpoint(net, wrong(5))],
  ["saveCheckpoint: null is no path and no stream", () => resnet.saveCheckpoint(net, wrong(null))],
  ["source: null is nothing to read from.", () => resnet.loadCheckpoint(net, wrong(null))],
  ["source: 5 is nothing to read from.", () => resnet.loadCheckpoint(net, wrong(5))],
])("what is no file is refused: %s", async (message, call) => {
  await expect(call()).rejects.toThrow(message);
});

/** Functions and classes that take no options. */
const WITHOUT = [
  "ConvGroup",
  "NotFiniteError",
  "SettingsError",
  "ShortcutPadding",
  "cropCentre",
  "datasetOf",
  "decodeBitmap",
  "decodeImage",
  "deviceOf",
  "duration",
  "epochLine",
  "fastNetOf",
  "freeze",
  "inGrey",
  "inspectCheckpoint",
  "isForLarge",
  "labelsOf",
  "layersOf",
  "leftOutOf",
  "modelOf",
  "namesFoundAndSought",
  "notedPreprocessing",
  "openCheckpoint",
  "pictureFiles",
  "pictureInput",
  "pictureTensor",
  "preprocessed",
  "ranked",
  "readTraining",
  "replaceHead",
  "resize",
  "resizeCentre",
  "resizeShorter",
  "shuffled",
  "speed",
  "summary",
  "summaryRow",
  "trainedModels",
  "unfreeze",
  "whiten",
  "writeTraining",
];

it("every function of the package is among those with options or those without", () => {
  const functions = Object.entries(resnet).flatMap(([name, value]) =>
    typeof value === "function" ? [name] : [],
  );
  const known = new Set([...WITHOUT, ...[...CALLS, ...AUGMENTING].map(([name]) => name)]);
  expect([...known].sort()).toEqual(functions.sort());
});
