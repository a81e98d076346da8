// Two spirals, one inside the other: a net with two hidden layers learns to separate them, and the
// terminal shows what it has learned.
import { backward, crossEntropy, init, manualSeed, noGrad, scope, softmax, tensor } from "@shadegrad/tensor";
import { Linear, ReLU, Sequential } from "@shadegrad/tensor/nn";
import { Adam } from "@shadegrad/tensor/optim";

const POINTS = 200;
const STEPS = 600;

/** A point of a spiral, `along` from 0 in the middle to 1 at its end. */
const spiral = (along, turn) => {
  const angle = 3 * Math.PI * along + turn * Math.PI;
  return [along * Math.cos(angle), along * Math.sin(angle)];
};

const device = await init({ quiet: true });
manualSeed(7);
const model = new Sequential(
  new Linear(2, 64),
  new ReLU(),
  new Linear(64, 64),
  new ReLU(),
  new Linear(64, 2),
);
const optimizer = new Adam(model, { lr: 0.01 });

const points = Array.from({ length: POINTS }, (_, i) => spiral((i >> 1) / (POINTS / 2), i % 2));
const x = tensor(points);
const labels = tensor(Int32Array.from(points, (_, i) => i % 2));

console.log(`Two spirals of ${POINTS / 2} points, a net of 2-64-64-2, on ${device.name}\n`);
const start = performance.now();
for (let step = 1; step <= STEPS; step++) {
  const loss = scope(() => {
    const loss = crossEntropy(model.forward(x), labels);
    optimizer.zeroGrad();
    backward(loss);
    optimizer.step();
    return loss;
  });
  if (step % 100 === 0)
    console.log(`step ${String(step).padStart(4)}   loss ${(await loss.item()).toFixed(5)}`);
  loss.dispose();
}
const seconds = (performance.now() - start) / 1000;
console.log(`\n${STEPS} steps in ${seconds.toFixed(1)} s, ${(STEPS / seconds).toFixed(0)} a second\n`);

// The plane as the net sees it, from -1 to 1: which spiral each place belongs to.
const [rows, columns] = [21, 56];
const plane = Array.from({ length: rows * columns }, (_, i) => [
  ((i % columns) / (columns - 1)) * 2.2 - 1.1,
  1.1 - (Math.floor(i / columns) / (rows - 1)) * 2.2,
]);
const probability = noGrad(() => scope(() => softmax(model.forward(tensor(plane)))));
const values = await probability.data();
for (let row = 0; row < rows; row++) {
  const cells = Array.from(
    { length: columns },
    (_, column) => " ░▒▓█"[Math.round(4 * values[2 * (row * columns + column)])],
  );
  console.log(`  ${cells.join("")}`);
}
console.log("\nNext: npm test, or the example of README.md in a folder of your own.");
