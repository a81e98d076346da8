import { ImageSet } from "@shadegrad/resnet";

/** Ten classes of patterns, light on dark, in random colours, sizes and places: training data without a download. */
const KINDS = {
  disc: (x: number, y: number) => Math.hypot(x, y) < 1,
  ring: (x: number, y: number) => Math.abs(Math.hypot(x, y) - 0.75) < 0.25,
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  frame: (x: number, y: number) => Math.abs(Math.max(Math.abs(x), Math.abs(y)) - 0.7) < 0.22,
  triangle: (x: number, y: number) => y < 0.8 && y > 2 * Math.abs(x) - 0.9,
  diamond: (x: number, y: number) => Math.abs(x) + Math.abs(y) < 1,
  cross: (x: number, y: number) => Math.min(Math.abs(x), Math.abs(y)) < 0.28 && Math.hypot(x, y) < 1,
  saltire: (x: number, y: number) =>
    Math.min(Math.abs(x + y), Math.abs(x - y)) < 0.35 && Math.hypot(x, y) < 1.1,
  stripes: (x: number, y: number) => Math.hypot(x, y) < 1.15 && Math.sin(y * 8) > 0,
  chequers: (x: number, y: number) =>
    Math.max(Math.abs(x), Math.abs(y)) < 1 && Math.sin(x * 6) * Math.sin(y * 6) > 0,
} as const;

const SIDE = 32;

/** Draw images; a seed gives the same ones each time. → `[count, 32, 32, 3]`, bytes */
export function shapes(count: number, seed: number): ImageSet {
  const random = numbers(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const kinds = Object.values(KINDS);
  const images = new Uint8Array(count * SIDE * SIDE * 3);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % kinds.length);
  for (const [i, label] of labels.entries()) {
    const inside = kinds[label]!;
    const [size, left, top] = [between(8, 12), between(12, 20), between(12, 20)];
    const turn = between(-0.25, 0.25);
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const ground = [between(10, 115), between(10, 115), between(10, 115)];
    const figure = [between(140, 250), between(140, 250), between(140, 250)];
    for (let y = 0, at = i * SIDE * SIDE * 3; y < SIDE; y++) {
      for (let x = 0; x < SIDE; x++, at += 3) {
        const [u, v] = [(x - left) / size, (y - top) / size];
        const colour = inside(u * cos - v * sin, u * sin + v * cos) ? figure : ground;
        const noise = between(-14, 14);
        for (let c = 0; c < 3; c++) images[at + c] = Math.max(0, Math.min(255, colour[c]! + noise));
      }
    }
  }
  const normalization = { mean: [0.38, 0.38, 0.38], std: [0.25, 0.25, 0.25] };
  return new ImageSet({ images, labels, shape: [SIDE, SIDE, 3], classes: Object.keys(KINDS), normalization });
}

/** A generator of numbers from 0 to 1 (xorshift32). */
function numbers(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b9) ^ 0x85ebca6b) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
