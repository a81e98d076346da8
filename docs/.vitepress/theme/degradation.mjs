import { ResNet } from "@shadegrad/resnet";
import { backward, compile, crossEntropy, init, manualSeed, tensor } from "@shadegrad/tensor";
import { dispose } from "@shadegrad/tensor/nn";
import { SGD } from "@shadegrad/tensor/optim";

const [SIDE, CLASSES, BATCH] = [12, 4, 32];

/** Nets of 8 and of 32 layers, 8 channels wide, with shortcuts and without. */
const NETS = [
  { name: "plain, shallow", blocks: 3, shortcut: "none" },
  { name: "plain, deep", blocks: 15, shortcut: "none" },
  { name: "residual, shallow", blocks: 3, shortcut: "projection" },
  { name: "residual, deep", blocks: 15, shortcut: "projection" },
];

/**
 * Train the four nets in turns on drawn shapes, and hand their curves to `show` every few steps.
 *
 * @param {{ steps: number, show: (curves: { name: string, points: { step: number, error: number }[] }[]) => void, signal: AbortSignal }} options
 * @returns {Promise<string>} the adapter
 */
export async function trainNets({ steps, show, signal }) {
  const device = await init(); // the one that is open, if the reader trains again
  const runs = NETS.map(({ name, blocks, shortcut }) => {
    manualSeed(1);
    const net = new ResNet({
      nBlocks: [blocks],
      nChannels: [8],
      imgChannels: 1,
      firstKernelSize: 3,
      stemStride: 1,
      stemRelu: true,
      bias: false,
      shortcut,
      classes: CLASSES,
    });
    const optimizer = new SGD(net, { lr: 0.05, momentum: 0.9 });
    const step = compile((x, labels) => {
      const logits = net.forward(x);
      const loss = crossEntropy(logits, labels);
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return logits;
    });
    return { name, net, optimizer, step, points: [] };
  });
  const random = generator(7);
  try {
    for (let i = 1; i <= steps && !signal.aborted; i++) {
      const { images, labels } = shapes(random);
      const x = tensor(images, [BATCH, SIDE, SIDE, 1]);
      const y = tensor(labels);
      for (const run of runs) {
        const logits = await run.step(x, y);
        const scores = await logits.data();
        logits.dispose();
        run.points.push({ step: i, error: errorOf(scores, labels) });
      }
      x.dispose();
      y.dispose();
      show(runs.map(({ name, points }) => ({ name, points: [...points] })));
    }
  } finally {
    for (const { net, optimizer, step } of runs) {
      step.dispose();
      optimizer.dispose();
      dispose(net);
    }
  }
  return device.name;
}

/** Filled squares, discs, crosses and rings of any size and place, with noise. */
function shapes(random) {
  const images = new Float32Array(BATCH * SIDE * SIDE);
  const labels = Int32Array.from({ length: BATCH }, () => Math.floor(random() * CLASSES));
  labels.forEach((label, n) => {
    const radius = 2 + 2.5 * random();
    const [cx, cy] = [0, 0].map(() => radius + random() * (SIDE - 1 - 2 * radius));
    for (let i = 0; i < SIDE * SIDE; i++) {
      const [dx, dy] = [Math.abs((i % SIDE) - cx), Math.abs(Math.floor(i / SIDE) - cy)];
      images[n * SIDE * SIDE + i] = Number(isInside(label, dx, dy, radius)) + 0.6 * (random() - 0.5);
    }
  });
  return { images, labels };
}

function isInside(label, dx, dy, radius) {
  const far = Math.hypot(dx, dy);
  if (label === 0) return Math.max(dx, dy) <= radius * 0.8;
  if (label === 1) return far <= radius;
  if (label === 2) return Math.min(dx, dy) <= 0.8 && Math.max(dx, dy) <= radius;
  return far <= radius && far >= radius - 1.3;
}

function errorOf(scores, labels) {
  let wrong = 0;
  labels.forEach((label, n) => {
    const row = scores.subarray(n * CLASSES, (n + 1) * CLASSES);
    if (row.indexOf(Math.max(...row)) !== label) wrong++;
  });
  return wrong / labels.length;
}

/** A linear congruential generator of numbers from 0 to 1: the same shapes in every tab. */
function generator(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
