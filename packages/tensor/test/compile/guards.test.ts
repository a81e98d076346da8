import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  assign,
  backward,
  batchNorm,
  cast,
  compile,
  conv2d,
  type Device,
  init,
  manualSeed,
  matmul,
  mul,
  noGrad,
  openDevice,
  relu,
  reshape,
  scope,
  slice,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
  manualSeed(1);
});

const wave = (length: number, seed = 1) => Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i));
const statistics = (C: number) => {
  const positive = wave(C, 5).map((v) => 1 + v * v);
  const [gamma, beta, runningMean, runningVar] = [wave(C, 2), wave(C, 3), wave(C, 4), positive].map((x) =>
    tensor(x),
  );
  return (x: Tensor) =>
    batchNorm(x, gamma!, beta!, { runningMean: runningMean!, runningVar: runningVar!, training: false });
};

/** A function gives the same compiled as op by op, call by call, whatever it changes in place. */
async function comparesAsEager(made: () => (x: Tensor) => Tensor, inputs: readonly Tensor[]): Promise<void> {
  const [eager, compiled] = [made(), compile(made())];
  for (const x of inputs) {
    const [expected, found] = [await eager(x).data(), await (await compiled(x)).data()];
    expect(relativeError(found, expected)).toBeLessThan(1e-5);
  }
}

describe("a product whose input is replaced before the batch norm", () => {
  it("is a matrix product of what it was", async () => {
    const w = tensor([[2]]);
    const ones = tensor([1]);
    const zeros = tensor([0]);
    const made = () => {
      const state = tensor([[1]]);
      return (x: Tensor) => {
        const y = matmul(state, w);
        assign(state, mul(x, 10));
        return batchNorm(y, ones, zeros, { runningMean: zeros, runningVar: ones, training: false, eps: 0 });
      };
    };
    const [eager, compiled] = [made(), compile(made())];
    for (const [i, expected] of [2, 20, 200].entries()) {
      const given = tensor([[10 ** i]]);
      expect(await eager(given).data()).toEqual(Float32Array.of(expected));
      expect(await (await compiled(given)).data()).toEqual(Float32Array.of(expected));
    }
  });

  it("is a convolution of what it was", async () => {
    const w = tensor(wave(3 * 3 * 4 * 8), [3, 3, 4, 8]);
    const norm = statistics(8);
    const made = () => {
      const state = tensor(wave(5 * 5 * 4, 7), [1, 5, 5, 4]);
      return (x: Tensor) => {
        const y = conv2d(state, w, { padding: 1 });
        assign(state, x);
        return relu(norm(y));
      };
    };
    const inputs = [1, 2, 3].map((seed) => tensor(wave(100, seed), [1, 5, 5, 4]));
    await comparesAsEager(made, inputs);
  });

  it("so is one whose bias is replaced", async () => {
    const w = tensor(wave(4 * 8), [1, 1, 4, 8]);
    const norm = statistics(8);
    const made = () => {
      const bias = tensor(wave(8, 9));
      return (x: Tensor) => {
        const y = conv2d(x, w, { bias });
        assign(bias, mul(bias, 2));
        return norm(y);
      };
    };
    await comparesAsEager(
      made,
      [1, 2].map((seed) => tensor(wave(36, seed), [1, 3, 3, 4])),
    );
  });

  it("is not folded before what the batch norm reads is computed", async () => {
    const w = tensor(wave(4 * 8), [1, 1, 4, 8]);
    const [gamma, beta, mean] = [wave(8, 2), wave(8, 3), wave(8, 4)].map((values) => tensor(values));
    const variance = tensor(wave(8, 5).map((v) => 1 + v * v));
    const made = () => (x: Tensor) => {
      const y = conv2d(x, w);
      return batchNorm(y, mul(gamma!, 3), beta!, {
        runningMean: mean!,
        runningVar: variance,
        training: false,
      });
    };
    await comparesAsEager(
      made,
      [1, 2].map((seed) => tensor(wave(36, seed), [1, 3, 3, 4])),
    );
  });
});

describe("a batch norm is not folded into a product", () => {
  it("whose channels are not its own after a reshape", async () => {
    const w = tensor(wave(4 * 6), [4, 6]);
    const norm = statistics(3);
    const made = () => (x: Tensor) => norm(reshape(matmul(x, w), [10, 3]));
    await comparesAsEager(made, [tensor(wave(20), [5, 4])]);
  });

  it("by the source of weights that are computed, as if they were rounded alone", async () => {
    const w = tensor(wave(4 * 8), [1, 1, 4, 8]);
    const norm = statistics(8);
    const made = () => (x: Tensor) => norm(conv2d(x, mul(w, w)));
    await comparesAsEager(made, [tensor(wave(36), [1, 3, 3, 4])]);
  });
});

it("weights that an optimizer has moved to other memory are read there", async () => {
  const net = new Sequential(new Linear(4, 3), new Linear(3, 2));
  const predict = compile((x: Tensor) => net.forward(x));
  const x = tensor(wave(8), [2, 4]);
  await predict(x);
  const optimizer = new SGD(net, { lr: 0.5 });
  backward(sum(mul(net.forward(x), net.forward(x))));
  optimizer.step();
  const [expected, found] = [await net.forward(x).data(), await (await predict(x)).data()];
  expect(relativeError(found, expected)).toBeLessThan(1e-6);
});

it("folded weights follow an optimizer that moves all of them by one launch", async () => {
  const norm = statistics(8);
  const [w, v] = [tensor(wave(32), [1, 1, 4, 8]), tensor(wave(64, 2), [1, 1, 8, 8])];
  for (const weights of [w, v]) weights.requiresGrad = true;
  const forward = (x: Tensor) => norm(conv2d(norm(conv2d(x, w)), v));
  using predict = compile((x: Tensor) => noGrad(() => forward(x)));
  const x = tensor(wave(36), [1, 3, 3, 4]);
  const optimizer = new SGD([w, v], { lr: 0.5 });
  // The first step moves the weights to one buffer, and the prediction is prepared again; later ones leave them there.
  for (let step = 0; step < 3; step++) {
    scope(() => backward(sum(mul(forward(x), 0.1))));
    optimizer.step();
    optimizer.zeroGrad();
    const [expected, found] = [await noGrad(() => forward(x)).data(), await (await predict(x)).data()];
    expect(relativeError(found, expected), `step ${step}`).toBeLessThan(1e-5);
    expect(predict.plan!.constant).toBeGreaterThan(0);
  }
});

it("a result of weights alone that is changed in place afterwards is computed at each call", async () => {
  const w = tensor([1, 2, 3]);
  const made = () => (x: Tensor) => {
    const y = mul(w, 10);
    assign(y, add(y, x));
    return mul(y, 2);
  };
  await comparesAsEager(
    made,
    [1, 2, 3].map((seed) => tensor(wave(3, seed))),
  );
});

it("an argument that requires a gradient has a plan of its own", async () => {
  const w = tensor([2, 3]);
  using gradient = compile((x: Tensor) => {
    const y = mul(x, w);
    if (x.requiresGrad) backward(sum(y));
    return x.grad ?? y;
  });
  const plain = tensor([5, 7]);
  const leaf = tensor([5, 7], { requiresGrad: true });
  for (let call = 0; call < 2; call++) {
    expect([...(await (await gradient(plain)).data())]).toEqual([10, 21]);
    expect([...(await (await gradient(leaf)).data())]).toEqual([2, 3]);
  }
});

it("a weight that changes between forward and backward is refused, as op by op", async () => {
  const w = tensor([2, 3], { requiresGrad: true });
  using step = compile((x: Tensor) => {
    const loss = sum(mul(w, w));
    assign(w, x);
    backward(loss);
    return loss;
  });
  await expect(step(tensor([5, 7]))).rejects.toThrow("backward: input 0 of mul was changed in place");
});

it("scales of folded batch norms share memory, since only the scaled weights and the shifts last", async () => {
  const layers = [1, 2, 3, 4].map((seed) => ({
    w: tensor(wave(16, seed), [1, 1, 4, 4]),
    norm: statistics(4),
  }));
  const predict = compile((x: Tensor) => layers.reduce((x, { w, norm }) => relu(norm(conv2d(x, w))), x));
  await predict(tensor(wave(36), [1, 3, 3, 4]));
  // In pieces of 256 bytes: four times weights and shift, and one scale.
  expect(predict.plan!.constantBytes).toBe(256 * (4 * 2 + 1));
});

describe("tensors of two devices", () => {
  it("are refused by name, as arguments and inside", async () => {
    const other = await openDevice({ quiet: true });
    const [here, there] = [tensor([1, 2]), tensor([3, 4], { device: other })];
    const added = compile((x: Tensor, y: Tensor) => add(x, y));
    const error = await added(here, there).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(`${error?.name}: ${error?.message}`).toMatch(
      /^ShapeError: compile: tensors of two devices, .+: argument 1 is not on the device of the others\. Make it there/,
    );
    const inside = compile((x: Tensor) => [relu(x), relu(there)]);
    await expect(inside(here)).rejects.toThrow("tensors of two devices");
    other.destroy();
  });
});

describe("an elementwise op is not merged into a product", () => {
  it("whose operand changes before it", async () => {
    const w = tensor(wave(16), [4, 4]);
    const made = () => {
      const state = tensor(wave(12, 3), [3, 4]);
      return (x: Tensor) => {
        const y = matmul(state, w);
        assign(state, x);
        return add(relu(y), x);
      };
    };
    await comparesAsEager(
      made,
      [1, 2, 3].map((seed) => tensor(wave(12, seed), [3, 4])),
    );
  });

  it("that is replaced before it", async () => {
    const w = tensor(wave(16), [4, 4]);
    const made = () => (x: Tensor) => {
      const y = matmul(x, w);
      assign(y, mul(x, 3));
      return relu(y);
    };
    await comparesAsEager(
      made,
      [1, 2].map((seed) => tensor(wave(12, seed), [3, 4])),
    );
  });

  it("that is returned beside it", async () => {
    const w = tensor(wave(16), [4, 4]);
    const x = tensor(wave(12), [3, 4]);
    const f = (x: Tensor) => {
      const y = matmul(x, w);
      return [y, relu(y)];
    };
    const [expected, found] = [f(x), await compile(f)(x)];
    for (const [i, y] of expected.entries()) {
      expect(relativeError(await found[i]!.data(), await y.data()), `result ${i}`).toBeLessThan(1e-5);
    }
  });

  it("whose channels are not its own after a reshape", async () => {
    const w = tensor(wave(4 * 6), [4, 6]);
    const scale = tensor(wave(3, 2));
    const made = () => (x: Tensor) => relu(mul(reshape(matmul(x, w), [10, 3]), scale));
    await comparesAsEager(made, [tensor(wave(20), [5, 4])]);
  });

  it("that is read a second time, a row of it for all rows", async () => {
    const w = tensor(wave(16), [4, 4]);
    const made = () => (x: Tensor) => {
      const y = matmul(x, w);
      return add(y, slice(y, [0, 0], [1, 4]));
    };
    await comparesAsEager(made, [tensor(wave(16, 2), [4, 4])]);
  });

  it("of more operands than one launch binds, or more text than pays", async () => {
    const w = tensor(wave(16), [4, 4]);
    const others = [1, 2, 3, 4].map((seed) => tensor(wave(16, seed), [4, 4]));
    const many = () => (x: Tensor) => others.reduce((sum, other) => mul(add(sum, other), 0.5), matmul(x, w));
    await comparesAsEager(many, [tensor(wave(16, 2), [4, 4])]);
    const doubled = () => (x: Tensor) => {
      let y = matmul(x, w);
      for (let i = 0; i < 14; i++) y = mul(add(y, y), 0.5);
      return y;
    };
    await comparesAsEager(doubled, [tensor(wave(16, 2), [4, 4])]);
  });

  it("that is returned itself", async () => {
    const w = tensor(wave(3 * 3 * 4 * 8), [3, 3, 4, 8]);
    const norm = statistics(8);
    const x = tensor(wave(100), [1, 5, 5, 4]);
    const f = (x: Tensor) => {
      const y = conv2d(x, w, { padding: 1 });
      return { y, z: relu(norm(y)) };
    };
    const [expected, found] = [f(x), await compile(f)(x)];
    for (const name of ["y", "z"] as const) {
      const error = relativeError(await found[name].data(), await expected[name].data());
      expect(error, name).toBeLessThan(1e-5);
    }
  });
});

describe("a number that half precision cannot hold", () => {
  const overflowing = () => tensor([65504, 65520, 1e6, 1 / 3]);
  const halves = Float32Array.of(65504, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0.333251953125);

  it("is rounded by a cast, though another one follows", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const there = compile((x: Tensor) => cast(cast(x, "f16"), "f32"));
    expect(await (await there(overflowing())).data()).toEqual(halves);
  });

  it("is rounded by an op whose result is cast", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const doubled = compile((x: Tensor) => cast(add(cast(x, "f16"), cast(x, "f16")), "f32"));
    expect(await (await doubled(tensor([40000, 2]))).data()).toEqual(
      Float32Array.of(Number.POSITIVE_INFINITY, 4),
    );
    const whole = compile((x: Tensor) => cast(cast(x, "f16"), "i32"));
    expect(await (await whole(tensor([2049, 7]))).data()).toEqual(Int32Array.of(2048, 7));
  });
});
