import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  add,
  autocast,
  backward,
  concat,
  conv2d,
  crossEntropy,
  type Device,
  DeviceError,
  defaultDevice,
  init,
  linear,
  logSoftmax,
  manualSeed,
  matmul,
  mean,
  noGrad,
  ones,
  openDevice,
  relu,
  ShapeError,
  scope,
  softmax,
  sum,
  type Tensor,
  tensor,
  variance,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, checkpoint, Linear, Sequential } from "../../src/nn/index.ts";
import { relativeError } from "../compare.ts";
import { randomValues } from "../gradient.ts";

const HALF = "no shader-f16";
let device: Device;
let canHalve = false;

beforeAll(async () => {
  device = await init({ quiet: true });
  canHalve = device.adapter.features.has("shader-f16");
});

const wave = (shape: number[], seed = 1, requiresGrad = true): Tensor => {
  const values = randomValues(
    shape.reduce((size, side) => size * side, 1),
    seed,
  );
  return tensor(values, shape, { requiresGrad });
};

describe("without shader-f16", () => {
  const without = { features: new Set(), adapterInfo: { description: "Adapter X" } } as unknown as GPUDevice;
  const message =
    "init: precision f16 needs the WebGPU feature shader-f16, which Adapter X does not have here. Take precision f32, which every adapter has, or another adapter or browser.";

  it("a device of precision f16 is refused, with what to do", async () => {
    await expect(openDevice({ device: without, precision: "f16" })).rejects.toThrow(new DeviceError(message));
  });

  it("this adapter says so itself", async ({ skip }) => {
    skip(canHalve, "this one has it");
    await expect(init({ quiet: true, precision: "f16" })).rejects.toThrow(
      /needs .* shader-f16, which .* not/,
    );
    expect(await init()).toBe(device);
    const x = ones([2, 2]);
    expect(() => autocast("f16", () => matmul(x, x))).toThrow(DeviceError);
  });

  it("f32 is what every device has", async () => {
    expect(device.precision).toBe("f32");
    expect((await openDevice({ quiet: true, precision: "f32" })).precision).toBe("f32");
  });

  it("there are no others", async () => {
    await expect(openDevice({ device: without, precision: "f8" as "f16" })).rejects.toThrow(
      "init: precision is f8; there are f32, f16.",
    );
  });
});

describe("in f16, as in f32", () => {
  beforeEach(({ skip }) => skip(!canHalve, HALF));

  /** Inputs in f32, the result, and its type. */
  const OPS: Record<string, { op: (...x: Tensor[]) => Tensor; shapes: number[][]; dtype: "f16" | "f32" }> = {
    conv2d: {
      op: (x, w, bias) => conv2d(x!, w!, { bias, padding: 1, stride: 2 }),
      shapes: [[2, 7, 9, 8], [3, 3, 8, 12], [12]],
      dtype: "f16",
    },
    "conv2d in groups, of odd sides": {
      op: (x, w) => conv2d(x!, w!, { groups: 3 }),
      shapes: [
        [1, 5, 7, 9],
        [3, 2, 3, 15],
      ],
      dtype: "f16",
    },
    linear: { op: (x, w, b) => linear(x!, w!, b), shapes: [[5, 32], [32, 7], [7]], dtype: "f16" },
    "linear of one row": { op: (x, w, b) => linear(x!, w!, b), shapes: [[32], [32, 7], [7]], dtype: "f16" },
    "matmul of batches": {
      op: (a, b) => matmul(a!, b!),
      shapes: [
        [3, 1, 5, 16],
        [2, 16, 7],
      ],
      dtype: "f16",
    },
    "a sum of products": {
      op: (x, w) => sum(matmul(x!, w!), 0),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "a mean of products": {
      op: (x, w) => mean(matmul(x!, w!), 0),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "their variance": {
      op: (x, w) => variance(matmul(x!, w!), 0),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "softmax of products": {
      op: (x, w) => softmax(matmul(x!, w!)),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "logSoftmax of products": {
      op: (x, w) => logSoftmax(matmul(x!, w!), 0),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "crossEntropy of products": {
      op: (x, w) => crossEntropy(matmul(x!, w!), tensor(Int32Array.from({ length: 40 }, (_, i) => i % 9))),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
    "products and what is not": {
      op: (x, w) => concat([relu(matmul(x!, w!)), x!], 1),
      shapes: [
        [40, 16],
        [16, 9],
      ],
      dtype: "f32",
    },
  };

  it.for(Object.entries(OPS))("%s", async ([, { op, shapes, dtype }]) => {
    const compute = async (precision: "f16" | "f32") => {
      const inputs = shapes.map((shape, i) => wave(shape, i + 1));
      const y = autocast(precision, () => op(...inputs));
      expect(y.dtype).toBe(precision === "f16" ? dtype : "f32");
      backward(y, tensor(randomValues(y.size, 9), y.shape, { dtype: y.dtype }));
      // Whatever was computed with, what belongs to a parameter is f32.
      expect(inputs.map(({ grad }) => grad!.dtype)).toEqual(inputs.map(() => "f32"));
      return Promise.all([y, ...inputs.map(({ grad }) => grad!)].map((x) => x.data()));
    };
    const [half, full] = [await compute("f16"), await compute("f32")];
    half.forEach((found, i) => {
      expect(relativeError(found, full[i]!), i === 0 ? "y" : `gradient ${i}`).toBeLessThan(
        i === 0 ? 2e-3 : 4e-3,
      );
    });
    expect(half[0], "f16 was computed with").not.toEqual(full[0]);
  });

  it("what one value of f16 cannot hold, a sum can", async () => {
    const products = autocast("f16", () => matmul(ones([70_000, 1]), ones([1, 1])));
    expect(products.dtype).toBe("f16");
    expect(await autocast("f16", () => sum(products)).item()).toBe(70_000);
    expect(await sum(products).item(), "outside, a tensor of f16 stays one").toBe(Infinity);
  });

  it("a weight's gradient is never rounded to f16: one that would vanish there does not", async () => {
    const [x, w] = [ones([1, 4, 4, 2]), wave([1, 1, 2, 3])];
    const y = autocast("f16", () => conv2d(x, w));
    backward(y, tensor(new Float32Array(y.size).fill(2 ** -24), y.shape, { dtype: "f16" }));
    expect(await w.grad!.data()).toEqual(new Float32Array(6).fill(16 * 2 ** -24));
    const large = autocast("f16", () => conv2d(x, w));
    w.grad = undefined;
    backward(large, tensor(new Float32Array(y.size).fill(60_000), y.shape, { dtype: "f16" }));
    expect((await w.grad!.data())[0], "nor does it overflow").toBe(16 * 60_000);
  });

  it("a device of that precision computes so without being told", async () => {
    const half = await openDevice({ quiet: true, precision: "f16" });
    const x = tensor(randomValues(64), [8, 8], { device: half });
    const y = matmul(x, x);
    expect([half.precision, y.dtype]).toEqual(["f16", "f16"]);
    const expected = autocast("f16", () => matmul(wave([8, 8]), wave([8, 8])));
    expect(await y.data()).toEqual(await expected.data());
    expect(autocast("f32", () => matmul(x, x)).dtype).toBe("f32");
    half.destroy();
  });

  it("copies are gone with what they were made for", async () => {
    const [x, w, b] = [wave([1, 9, 9, 4]), wave([3, 3, 4, 8]), wave([8])];
    const step = () => {
      noGrad(() => autocast("f16", () => conv2d(x, w, { bias: b }))).dispose();
      using y = autocast("f16", () => conv2d(x, w, { bias: b }));
      using loss = sum(y);
      backward(loss);
      for (const leaf of [x, w, b]) {
        leaf.grad!.dispose();
        leaf.grad = undefined;
      }
      autocast("f16", () => softmax(conv2d(x, w))).dispose(); // never gone back through
    };
    const held = () => {
      const { bytes, freeBytes } = device.counts;
      return bytes - freeBytes;
    };
    // The input of softmax has no name here, and belongs to the scope.
    scope(step);
    const before = held();
    for (let i = 0; i < 5; i++) scope(step);
    expect(held()).toBe(before);
  });

  it("a block that is computed twice is computed alike", async () => {
    const gradients = async (twice: boolean) => {
      manualSeed(1);
      const [conv, fc] = [new Conv2d(3, 8, 3), new Linear(8, 2)];
      const block = new Sequential(conv, new BatchNorm2d(8));
      const first = twice ? checkpoint(block) : block;
      // The way back as well, which is where the block is computed again.
      autocast("f16", () => {
        const x = wave([2, 6, 6, 3], 5);
        backward(sum(fc.forward(mean(relu(first.forward(x)), [1, 2]))));
      });
      return conv.weight.grad!.data();
    };
    expect(await gradients(true)).toEqual(await gradients(false));
  });
});

describe("autocast", () => {
  it("is over when its function is, or has failed", () => {
    autocast("f32", () =>
      expect(() => autocast("f16", () => matmul(ones([2]), ones([3])))).toThrow(ShapeError),
    );
    expect(matmul(ones([1, 1]), ones([1, 1])).dtype).toBe("f32");
  });

  it("refuses what goes on later", () => {
    expect(() => autocast("f16", async () => {})).toThrow(
      "autocast: the function is async, and what it makes after its first await would not be f16. Read values outside.",
    );
    expect(defaultDevice().precision).toBe("f32");
  });

  it("leaves whole numbers and what is not multiplied as it is", ({ skip }) => {
    skip(!canHalve, HALF);
    autocast("f16", () => {
      expect(add(ones([3]), ones([3])).dtype).toBe("f32");
      expect(sum(tensor(Int32Array.of(1, 2))).dtype).toBe("i32");
      expect(() => matmul(tensor(Int32Array.of(1, 2)), ones([2]))).toThrow("a is i32; make it floats");
    });
  });
});
