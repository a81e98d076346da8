// A net that was trained on CIFAR-10 learns other classes from 96 small pictures: squares, discs and crosses.
//
//   npm start -- fine-tune [shapes.safetensors]
import {
  evaluateModel,
  freeze,
  ImageSet,
  loadCheckpoint,
  replaceHead,
  resnet8,
  saveCheckpoint,
  train,
  trainedModels,
} from "@shadegrad/resnet";
import { init, manualSeed } from "@shadegrad/tensor";
import { Adam } from "@shadegrad/tensor/optim";

const [out = "shapes.safetensors"] = process.argv.slice(2);
const CLASSES = ["square", "disc", "cross"];

await init();
manualSeed(1);
const net = resnet8();
const weights = (await trainedModels()).find(({ name }) => name === "resnet8");
await loadCheckpoint(net, weights.path);

replaceHead(net, CLASSES);
freeze(net.base);
const data = shapes(96, 0);
await train({
  model: net,
  data,
  epochs: 12,
  batchSize: 16,
  optimizer: new Adam(net, { lr: 0.02 }),
  seed: 1,
  onProgress() {},
});

const { top1, images } = await evaluateModel(net, shapes(60, 1000));
console.log(`${(100 * top1).toFixed(0)} % of ${images} other pictures are right`);
await saveCheckpoint(net, out);
console.log(`${out} knows ${net.labels.join(", ")}`);
process.exit();

/** Drawn pictures of 32 × 32, as bytes; another `seed` draws others. */
function shapes(count, seed) {
  const side = 32;
  const images = new Uint8Array(count * side * side * 3);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % CLASSES.length);
  for (const [n, label] of labels.entries()) {
    const radius = 8 + hash(seed + 3 * n) * 5;
    const [cx, cy] = [1, 2].map((i) => radius + hash(seed + 3 * n + i) * (side - 2 * radius));
    for (let i = 0; i < side * side; i++) {
      const [dx, dy] = [Math.abs((i % side) - cx), Math.abs(Math.floor(i / side) - cy)];
      const isInside = [
        Math.max(dx, dy) < radius * 0.8,
        Math.hypot(dx, dy) < radius,
        Math.min(dx, dy) < 2 && Math.max(dx, dy) < radius,
      ][label];
      images.fill(isInside ? 230 : 40, (n * side * side + i) * 3, (n * side * side + i + 1) * 3);
    }
  }
  return new ImageSet({ images, labels, shape: [side, side, 3], classes: CLASSES });
}

/** A number from 0 to 1 that looks random. */
function hash(i) {
  return Math.abs(Math.sin(12.9898 * i) * 43758.5453) % 1;
}
