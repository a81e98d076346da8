// The degradation experiment (He et al. 2015, figure 6): ResNet-20 and ResNet-56, with shortcuts and without, trained alike.
//
//   npm start -- degradation [--epochs 10] [--images 50000] [--batch 128] [--side 32] [--out curves.json] [--runs runs/degradation]
//
// The nets train in turns, an epoch each, and the curves are written after each turn: a run that is interrupted goes on where
// it was. The defaults are for a GPU; on a CPU, take fewer images, halved to 16 × 16 pixels by `--side 16`.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { cifar10, ImageSet, resize, resnet20, resnet56, train } from "@shadegrad/resnet";
import { init, manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "10" },
    images: { type: "string", default: "50000" },
    batch: { type: "string", default: "128" },
    side: { type: "string", default: "32" },
    lr: { type: "string", default: "0.1" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "curves.json" },
    runs: { type: "string", default: "runs/degradation" },
  },
});
const [epochs, images, batchSize, side, lr, seed] = [
  values.epochs,
  values.images,
  values.batch,
  values.side,
  values.lr,
  values.seed,
].map(Number);

const NETS = {
  "plain-20": () => resnet20({ shortcut: "none" }),
  "plain-56": () => resnet56({ shortcut: "none" }),
  "resnet-20": () => resnet20(),
  "resnet-56": () => resnet56(),
};

const device = await init();
const data = scaled((await cifar10({ split: "train" })).slice(0, images), side);

for (let epoch = 1; epoch <= epochs; epoch++) {
  for (const [name, build] of Object.entries(NETS)) {
    manualSeed(seed);
    const model = build();
    await train({
      model,
      data,
      epochs: epoch,
      batchSize,
      optimizer: new SGD(model, { lr, momentum: 0.9, weightDecay: 1e-4 }),
      augment: { pad: side / 8, flip: true },
      seed,
      logEvery: 10,
      out: `${values.runs}/${name}`,
      resume: true,
    });
    dispose(model);
  }
  writeCurves(epoch);
}
process.exit();

/** The same images, `side` pixels wide and high. */
function scaled(set, side) {
  const [H, W, C] = set.shape;
  if (side === H) return set;
  const [from, to] = [H * W * C, side * side * C];
  const pixels = new Uint8Array(set.length * to);
  for (let i = 0; i < set.length; i++) {
    const picture = { pixels: set.images.subarray(i * from, (i + 1) * from), width: W, height: H };
    pixels.set(resize(picture, side, side).pixels, i * to);
  }
  const { labels, classes, normalization } = set;
  return new ImageSet({ images: pixels, labels, shape: [side, side, C], classes, normalization });
}

/** Loss and error of every tenth step, from 0 to 1, of the augmented images since the record before. */
function writeCurves(epochs) {
  const curves = Object.keys(NETS).map((name) => {
    const lines = readFileSync(`${values.runs}/${name}/metrics.jsonl`, "utf8").trim().split("\n");
    const records = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
    return {
      name,
      points: records.map(({ step, loss, accuracy }) => ({
        step,
        loss: round(loss),
        error: round(1 - accuracy),
      })),
    };
  });
  const setup = { epochs, images, batchSize, side, lr, seed, adapter: device.name };
  writeFileSync(values.out, `${JSON.stringify({ ...setup, curves }, undefined, 1)}\n`);
  console.log(`${values.out}: ${epochs} epochs`);
}

function round(value) {
  return Number(value.toFixed(4));
}
