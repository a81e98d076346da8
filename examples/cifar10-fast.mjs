// 94 % on CIFAR-10 in a few epochs: a net after airbench94 (Jordan 2024), trained from scratch on this machine's GPU.
//
//   npm start -- cifar10-fast [--epochs 13] [--seed 1] [--precision f16] [--out FOLDER] [--runs 1]
//
// Images travel to the GPU once, as bytes; every step cuts out and mirrors its batch there. Prints a JSON line a run.
import { parseArgs } from "node:util";
import {
  cifar10,
  evaluateModel,
  FastNet,
  fastRecipe,
  saveCheckpoint,
  train,
  whiten,
} from "@shadegrad/resnet";
import { init, manualSeed } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";

const { values } = parseArgs({
  options: {
    epochs: { type: "string", default: "13" },
    steps: { type: "string" },
    batch: { type: "string", default: "1024" },
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "1" },
    precision: { type: "string", default: "f32" },
    out: { type: "string" },
  },
});
const [epochs, batchSize, firstSeed, runs] = [values.epochs, values.batch, values.seed, values.runs].map(
  Number,
);
const precision = /** @type {"f32" | "f16"} */ (values.precision);
const device = await init({ precision });
const [data, test] = [await cifar10({ split: "train" }), await cifar10({ split: "test" })];

for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  manualSeed(seed);
  const net = new FastNet();
  await whiten(net, data);
  const recipe = fastRecipe(net, {
    images: data.length,
    epochs,
    batchSize,
    ...(values.steps && { steps: Number(values.steps) }),
  });
  const began = performance.now();
  const onProgress = (event) => {
    if (event.kind === "epoch")
      console.error(
        `epoch ${event.epoch}  loss ${event.loss.toFixed(4)}  ${(event.accuracy * 100).toFixed(2)} %  ${event.seconds.toFixed(1)} s`,
      );
  };
  const { step, seconds } = await train({
    model: net,
    data,
    ...recipe,
    seed,
    precision,
    onDevice: true,
    onProgress,
  });
  const wall = (performance.now() - began) / 1000;
  const plain = await evaluateModel(net, test, { batchSize: 250 });
  const { top1 } = await evaluateModel(net, test, { batchSize: 250, mirror: true });
  const result = {
    net: "fastnet",
    seed,
    epochs,
    steps: step,
    batchSize,
    precision,
    seconds,
    wall,
    test: test.length,
    plain: plain.top1,
    mirrored: top1,
    adapter: device.name,
  };
  console.log(JSON.stringify(result));
  if (values.out)
    await saveCheckpoint(net, `${values.out}/fastnet-seed${seed}.safetensors`, {
      metadata: { fastnet: JSON.stringify(net.options), training: JSON.stringify(result) },
    });
  dispose(net);
}
process.exit();
