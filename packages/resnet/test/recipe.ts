import type { HostTensor } from "@shadegrad/tensor/formats";
import { torchStateDict } from "@shadegrad/tensor/nn";
import type { ResNet } from "../src/index.ts";
import { torchvisionName } from "../src/names.ts";

/** Weights and images that any language can reproduce: scripts/fixtures/README.md, "Torchvision networks". */

export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** One entry of a state dict, from its torchvision name and PyTorch's shape alone. */
export function recipeWeight(name: string, shape: readonly number[], seed: number): Float32Array {
  const next = mulberry32(fnv1a32(name) ^ seed);
  const values = new Float32Array(shape.reduce((size, side) => size * side, 1));
  const fanIn = shape.slice(1).reduce((size, side) => size * side, 1);
  const scale = Math.sqrt(3 / fanIn) * 0.8;
  const positive = name.endsWith("running_var") || (name.endsWith("weight") && shape.length === 1);
  const small = name.endsWith("running_mean") || name.endsWith("bias");
  for (let i = 0; i < values.length; i++) {
    const u = next();
    values[i] = positive ? 0.5 + u : (2 * u - 1) * (small ? 0.1 : scale);
  }
  return values;
}

/** Noise over a coarse grid of colours, [2, 224, 224, 3]. */
export function recipeImages(seed: number, [N, H, W, C]: readonly number[], grid = 4): Float32Array {
  const [n, h, w, c] = [N!, H!, W!, C!];
  const fine = mulberry32(fnv1a32("input") ^ seed);
  const next = mulberry32(fnv1a32("input.coarse") ^ seed);
  const coarse = Float64Array.from({ length: n * grid * grid * c }, next);
  const images = new Float32Array(n * h * w * c);
  for (let i = 0; i < images.length; i++) {
    const [channel, column] = [i % c, Math.floor(i / c) % w];
    const [row, image] = [Math.floor(i / (c * w)) % h, Math.floor(i / (c * w * h))];
    const cell =
      ((image * grid + Math.floor(row / (h / grid))) * grid + Math.floor(column / (w / grid))) * c + channel;
    images[i] = 2 * fine() - 1 + (4 * coarse[cell]! - 2);
  }
  return images;
}

/** A whole net's state under the recipe, in PyTorch's layout, under our names. */
export function recipeState(net: ResNet, seed: number): Map<string, HostTensor> {
  return new Map(
    [...torchStateDict(net)].map(([name, { dtype, shape }]): [string, HostTensor] => {
      if (dtype === "i64") return [name, { dtype: "i32", shape, data: new Int32Array(1) }];
      return [
        name,
        { dtype: "f32", shape, data: recipeWeight(torchvisionName(name, net.options), shape, seed) },
      ];
    }),
  );
}
