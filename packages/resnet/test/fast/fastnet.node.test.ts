import { init, manualSeed, tensor } from "@shadegrad/tensor";
import { countParameters, inMode, namedParameters } from "@shadegrad/tensor/nn";
import { beforeAll, describe, expect, it } from "vitest";
import { eigen } from "../../src/fast/index.ts";
import {
  type Batch,
  batches,
  checkpointBytes,
  FastNet,
  fastNetOf,
  fastRecipe,
  ImageSet,
  loadCheckpoint,
  openCheckpoint,
  train,
  whiten,
} from "../../src/index.ts";
import { DeviceImages } from "../../src/training/device-images.ts";

let device: Awaited<ReturnType<typeof init>>;

beforeAll(async () => {
  device = await init();
});

/** Images whose brighter half says their class, which a mirrored image keeps: the top, the bottom, both or none. */
function halves(count: number, side = 32): ImageSet {
  const images = new Uint8Array(count * side * side * 3);
  let state = 1;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let i = 0, at = 0; i < count; i++)
    for (let h = 0; h < side; h++)
      for (let w = 0; w < side; w++)
        for (let c = 0; c < 3; c++) {
          const bright = [h < side / 2, h >= side / 2, true, false][i % 4];
          images[at++] = Math.floor((bright ? 140 : 60) + 50 * random() + 5 * c);
        }
  return new ImageSet({
    images,
    labels: Uint8Array.from({ length: count }, (_, i) => i % 4),
    shape: [side, side, 3],
    classes: ["top", "bottom", "all", "none"],
    normalization: { mean: [0.45, 0.47, 0.49], std: [0.25, 0.25, 0.25] },
  });
}

describe("eigen", () => {
  it("takes a symmetric matrix apart, the largest eigenvalue first", () => {
    const n = 12;
    const matrix = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return 1 / (1 + Math.abs(i - j)) + (i === j ? i / 7 : 0);
    });
    const { values, vectors } = eigen(matrix, n);
    expect([...values]).toEqual([...values].sort((a, b) => b - a));
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let [again, product] = [0, 0];
        for (let k = 0; k < n; k++) {
          again += vectors[i * n + k]! * values[k]! * vectors[j * n + k]!;
          product += vectors[k * n + i]! * vectors[k * n + j]!;
        }
        expect(again).toBeCloseTo(matrix[i * n + j]!, 10);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 10);
      }
  });
});

describe("FastNet", () => {
  it("has airbench94's size: 1,972,792 numbers, of which the first window and gammas are fixed", () => {
    const net = new FastNet();
    expect(countParameters(net)).toBe(1_972_792 - 288 - 1152);
    expect(namedParameters(net).has("whitening.weight")).toBe(false);
    expect(net.forward(tensor(new Float32Array(2 * 32 * 32 * 3), [2, 32, 32, 3])).shape).toEqual([2, 10]);
  });

  it("whitens: outputs of the first window are uncorrelated and of deviation 1", async () => {
    const data = halves(64);
    const net = new FastNet({ widths: [4, 4, 4] });
    await whiten(net, data);
    const weight = await net.whitening.weight.data();
    const sums = new Float64Array(24 * 24);
    let patches = 0;
    for await (const { images } of batches(data, { batchSize: 1 })) {
      for (let h = 0; h < 31; h++)
        for (let w = 0; w < 31; w++, patches++) {
          const y = Array.from({ length: 24 }, (_, o) => {
            let sum = 0;
            for (let i = 0; i < 12; i++) {
              const [r, s, c] = [Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3];
              sum += weight[i * 24 + o]! * images[((h + r) * 32 + w + s) * 3 + c]!;
            }
            return sum;
          });
          for (let a = 0; a < 24; a++) for (let b = 0; b < 24; b++) sums[a * 24 + b]! += y[a]! * y[b]!;
        }
    }
    for (let a = 0; a < 12; a++)
      for (let b = 0; b < 12; b++) {
        const covariance = sums[a * 24 + b]! / patches;
        if (a === b) expect(covariance).toBeGreaterThan(0.9);
        if (a === b) expect(covariance).toBeLessThan(1.0001);
        else expect(Math.abs(covariance)).toBeLessThan(1e-4);
        expect(sums[(a + 12) * 24 + b]! / patches).toBeCloseTo(-covariance, 6);
      }
  });

  it("is saved with its options, and loaded again", async () => {
    const net = new FastNet({ widths: [4, 8, 12], classes: 3 });
    await whiten(net, halves(16));
    const checkpoint = await openCheckpoint(new Blob([await checkpointBytes(net)]));
    const options = fastNetOf(checkpoint.metadata);
    expect(options).toEqual({ widths: [4, 8, 12], classes: 3 });
    const again = new FastNet(options);
    await loadCheckpoint(again, checkpoint);
    await checkpoint.close();
    const x = tensor(
      Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i)),
      [1, 32, 32, 3],
    );
    const [y, z] = [net, again].map((model) => inMode(model, false, () => model.forward(x)));
    expect(await z!.data()).toEqual(await y!.data());
    expect(fastNetOf(new Map([["fastnet", '{"widths":[1e9,1,1],"classes":2}']]))).toBeUndefined();
    expect(fastNetOf(new Map([["fastnet", "nonsense"]]))).toBeUndefined();
  });

  it("learns by its recipe, with images on the GPU, to the very losses of images from the CPU", async () => {
    const data = halves(64);
    const losses = async (onDevice: boolean) => {
      manualSeed(5);
      const net = new FastNet({ widths: [8, 16, 16], classes: 4 });
      await whiten(net, data);
      const recipe = fastRecipe(net, { images: data.length, batchSize: 32, epochs: 10 });
      const { epochs } = await train({
        model: net,
        data,
        ...recipe,
        seed: 5,
        onDevice,
        onProgress: () => {},
      });
      return epochs.map(({ loss }) => loss);
    };
    const [onGpu, onCpu] = [await losses(true), await losses(false)];
    expect(onGpu).toHaveLength(10);
    for (const [i, loss] of onGpu.entries()) expect(loss / onCpu[i]!).toBeCloseTo(1, 3);
    expect(onGpu.at(-1)!).toBeLessThan(onGpu[0]! - 0.2);
  });
});

describe("images on the GPU", () => {
  it.each([
    { pad: 2, edge: "reflect", flip: "alternate" },
    { pad: 3, flip: true },
  ] as const)("are cut out and mirrored as on the CPU: %o", async (augment) => {
    const data = halves(6, 9);
    const order = Uint32Array.of(3, 0, 5, 1);
    const images = new DeviceImages(data, device, { augment, seed: 9 });
    const mirrored = new Set<string>();
    for (let epoch = 0; epoch < 4; epoch++) {
      const on = await gathered(images.batches({ order, start: 0, batchSize: 3, epoch }));
      const off: Batch[] = await gathered(batches(data, { augment, seed: 9, order, batchSize: 3, epoch }));
      expect(on.map(({ labels }) => [...labels])).toEqual(off.map(({ labels }) => [...labels]));
      for (const [i, { picks, shape }] of on.entries()) {
        const found = await images.batch(tensor(picks!, [shape[0], 4])).data();
        for (const [at, value] of off[i]!.images.entries()) expect(found[at]).toBeCloseTo(value, 5);
        for (let k = 0; k < picks!.length; k += 4) mirrored.add(`${picks![k]} ${epoch % 2} ${picks![k + 3]}`);
      }
    }
    // One side in even epochs and the other in odd ones.
    if (augment.flip === "alternate") expect(mirrored.size).toBe(2 * order.length);
    images.dispose();
  });
});

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
