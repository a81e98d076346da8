import { beforeAll, describe, expect, it } from "vitest";
import { leaveMoments } from "../../src/compile/moments.ts";
import { record } from "../../src/compile/record.ts";
import type { Recorded } from "../../src/core/recorder.ts";
import { Storage } from "../../src/core/storage.ts";
import {
  add,
  assign,
  backward,
  batchNorm,
  type Compiled,
  cast,
  compile,
  conv2d,
  convTranspose2d,
  crossEntropy,
  type Device,
  manualSeed,
  mul,
  openDevice,
  relu,
  reshape,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  BatchNorm2d,
  Conv2d,
  dispose,
  GlobalAvgPool2d,
  Linear,
  ReLU,
  Sequential,
  stateDict,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";

/** One that takes the launches of a GPU, and one that takes those of a software rasteriser. */
let device: Device;
let software: Device;

beforeAll(async () => {
  [device, software] = [await openDevice({ quiet: true }), await openDevice({ quiet: true })];
  Object.assign(device, { adapter: { ...device.adapter, software: false, rasteriser: undefined } });
});

const wave = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i + i * i));
const made = (shape: readonly number[], seed: number, where = device) =>
  tensor(
    wave(
      shape.reduce((product, side) => product * side, 1),
      seed,
    ),
    shape,
    { device: where },
  );

/** Launches of forward norms in a plan, and of convolutions that leave moments. */
const norms = ({ plan }: Pick<Compiled<never, unknown>, "plan">) =>
  plan!.steps
    .map(({ kernel }) => kernel)
    .filter((kernel) => /^(tile|conv2d)Moments$|^normalizeBatch$/.test(kernel));
const FUSED = ["conv2dMoments", "normalizeBatch"];
const APART = ["tileMoments", "normalizeBatch"];

describe("a training step of a net", () => {
  const [SIDE, BATCH, CLASSES] = [9, 3, 4];

  /** Two norms after convolutions of channels in fours, one in groups; one after a convolution of RGB. */
  function net() {
    manualSeed(5);
    const conv = (C: number, O: number, size: number, options = {}) =>
      new Conv2d(C, O, size, { bias: false, padding: (size - 1) / 2, device, ...options });
    const bn = (C: number) => new BatchNorm2d(C, { device, momentum: 0.3 });
    const stem = new Sequential(conv(3, 16, 3), bn(16), new ReLU());
    const block = new Sequential(conv(16, 16, 3, { groups: 2 }), bn(16));
    const last = new Sequential(conv(16, 40, 1, { stride: 2 }), bn(40), new ReLU());
    const head = new Sequential(new GlobalAvgPool2d(), new Linear(40, CLASSES, { device }));
    const layers = { stem, block, last, head };
    const forward = (x: Tensor) => {
      const y = stem.forward(x);
      return head.forward(last.forward(relu(add(block.forward(y), y))));
    };
    return { ...layers, forward };
  }

  /** Losses of some steps, the gradients of the last one, and all tensors of the net after it. */
  async function trained(isCompiled: boolean) {
    const model = net();
    const optimizer = new SGD(model, { lr: 0.05, momentum: 0.9 });
    const weights = [...stateDict(model)].filter(([, { requiresGrad }]) => requiresGrad);
    const step = (x: Tensor, labels: Tensor) => {
      const loss = crossEntropy(model.forward(x), labels);
      backward(loss);
      const gradients = weights.map(([, { grad }]) => mul(grad!, 1));
      optimizer.step();
      optimizer.zeroGrad();
      return [loss, ...gradients];
    };
    const compiled = compile(step);
    const numbers = new Map<string, ArrayLike<number>>();
    for (let i = 0; i < 3; i++) {
      const x = made([BATCH, SIDE, SIDE, 3], i);
      const labels = tensor(
        Int32Array.from({ length: BATCH }, (_, k) => (k + i) % CLASSES),
        { device },
      );
      const results = isCompiled ? await compiled(x, labels) : scope(() => step(x, labels));
      const names = [`loss ${i}`, ...weights.map(([name]) => `gradient of ${name}`)];
      for (const [k, result] of results.entries()) numbers.set(names[k]!, await result.data());
    }
    for (const [name, x] of stateDict(model)) numbers.set(name, await x.data());
    const kernels = isCompiled ? norms(compiled) : [];
    compiled.dispose();
    optimizer.dispose();
    dispose(model);
    return { numbers, kernels };
  }

  it("has the losses, gradients and running statistics that it has op by op", async () => {
    const [eager, compiled] = [await trained(false), await trained(true)];
    expect(compiled.kernels).toEqual([...APART, ...FUSED, ...FUSED]);
    expect([...compiled.numbers.keys()]).toEqual([...eager.numbers.keys()]);
    for (const [name, expected] of eager.numbers) {
      expect(relativeError(compiled.numbers.get(name)!, expected), name).toBeLessThan(2e-5);
    }
  });

  it("gives the same bits at each call", async () => {
    expect((await trained(true)).numbers).toEqual((await trained(true)).numbers);
  });
});

interface Norm {
  gamma: Tensor;
  beta: Tensor;
  normalize(y: Tensor): Tensor;
}

function normOf(C: number, where = device): Norm {
  const [gamma, beta] = [made([C], 3, where), made([C], 4, where)];
  return { gamma, beta, normalize: (y) => batchNorm(y, gamma, beta, { training: true }) };
}

/**
 * A function of an image gives the same compiled as op by op, call by call.
 *
 * @param build makes the function, with new tensors for it to change in place
 * @returns the launches of its norms
 */
async function comparesAsEager(build: () => (x: Tensor) => Tensor, C = 8, where = device): Promise<string[]> {
  const [eager, compiled] = [build(), compile(build())];
  for (const seed of [1, 2]) {
    const x = made([2, 7, 6, C], seed, where);
    const [expected, found] = [eager(x), await compiled(x)];
    expect(relativeError(await found.data(), await expected.data())).toBeLessThan(1e-5);
  }
  return norms(compiled);
}

describe("a convolution leaves the moments of its result", () => {
  const w = () => made([3, 3, 8, 12], 2);

  it("for a norm with a sum and a ReLU after it", async () => {
    const [weights, { normalize }, other] = [w(), normOf(12), made([12], 6)];
    const launches = await comparesAsEager(
      () => (x) => relu(add(normalize(conv2d(x, weights, { padding: 1 })), other)),
    );
    expect(launches).toEqual(FUSED);
  });

  it("where its rows and channels are the same after a reshape", async () => {
    const [weights, { normalize }] = [w(), normOf(12)];
    expect(
      await comparesAsEager(() => (x) => normalize(reshape(conv2d(x, weights, { padding: 1 }), [84, 12]))),
    ).toEqual(FUSED);
  });

  it("where others read it too", async () => {
    const [weights, { normalize }] = [w(), normOf(12)];
    const build = () => (x: Tensor) => {
      const y = conv2d(x, weights, { padding: 1 });
      return mul(normalize(y), sum(y, [0, 1]));
    };
    expect(await comparesAsEager(build)).toEqual(FUSED);
  });

  it("in float16, as it is rounded", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const [weights, { normalize }] = [cast(w(), "f16"), normOf(12)];
    const f = (x: Tensor) => normalize(conv2d(cast(x, "f16"), weights, { padding: 1 }));
    const [compiled, x] = [compile(f), made([2, 7, 6, 8], 1)];
    const [expected, found] = [f(x), await compiled(x)];
    expect(norms(compiled)).toEqual(FUSED);
    expect(relativeError(await found.data(), await expected.data())).toBeLessThan(1e-3);
  });

  it("to the first of two norms alone", async () => {
    const [weights, first, second] = [w(), normOf(12), normOf(12)];
    const build = () => (x: Tensor) => {
      const y = conv2d(x, weights, { padding: 1 });
      return mul(first.normalize(y), second.normalize(y));
    };
    expect((await comparesAsEager(build)).sort()).toEqual([...FUSED, ...APART].sort());
  });

  it("far from zero", async () => {
    const { normalize } = normOf(12);
    // Each result is 1000 and a sum of seven numbers, which float32 holds exactly.
    const grid = (length: number, seed: number) => wave(length, seed).map((v) => Math.round(16 * v) / 16);
    const x = tensor(
      grid(2 * 7 * 6 * 8, 1).map((v, i) => (i % 8 === 0 ? 1 : v)),
      [2, 7, 6, 8],
      { device },
    );
    const weights = tensor(
      grid(8 * 12, 2).map((v, i) => (i < 12 ? 1000 : v / 16)),
      [1, 1, 8, 12],
      { device },
    );
    const f = (x: Tensor) => normalize(conv2d(x, weights));
    const compiled = compile(f);
    const [expected, found] = [f(x), await compiled(x)];
    expect(norms(compiled)).toEqual(FUSED);
    expect(relativeError(await found.data(), await expected.data())).toBeLessThan(1e-5);
  });
});

it("a norm stays before what reads its running statistics, though a ReLU comes after that", async () => {
  const build = () => {
    const bn = new BatchNorm2d(8, { device });
    return (x: Tensor) => {
      const y = bn.forward(x);
      const moved = mul(bn.runningMean, 2);
      return add(relu(y), moved);
    };
  };
  expect(await comparesAsEager(build)).toEqual(APART);
});

describe("a convolution leaves no moments", () => {
  const w = (O = 12) => made([3, 3, 8, O], 2);

  it("where what it reads is replaced before the norm", async () => {
    const { normalize } = normOf(12);
    const build = () => {
      const [state, weights] = [made([2, 7, 6, 8], 8), w()];
      return (x: Tensor) => {
        const y = conv2d(state, weights, { padding: 1 });
        assign(state, x);
        assign(weights, mul(weights, -2));
        return normalize(y);
      };
    };
    expect(await comparesAsEager(build)).toEqual(APART);
  });

  it("where the norm's scale is replaced between them", async () => {
    const weights = w();
    const build = () => {
      const { gamma, normalize } = normOf(12);
      return (x: Tensor) => {
        const y = conv2d(x, weights, { padding: 1 });
        assign(gamma, mul(gamma, 2));
        return normalize(y);
      };
    };
    expect(await comparesAsEager(build)).toEqual(APART);
  });

  it("where the norm's shift is computed between them", async () => {
    const weights = w();
    const [gamma, beta] = [made([12], 3), made([12], 4)];
    const build = () => (x: Tensor) => {
      const y = conv2d(x, weights, { padding: 1 });
      return batchNorm(y, gamma, mul(beta, 3), { training: true });
    };
    expect(await comparesAsEager(build)).toEqual(APART);
  });

  it("where its result is replaced before the norm", async () => {
    const [weights, { normalize }] = [w(), normOf(12)];
    const build = () => (x: Tensor) => {
      const y = conv2d(x, weights, { padding: 1 });
      assign(y, mul(y, y));
      return normalize(y);
    };
    expect(await comparesAsEager(build)).toEqual(APART);
  });

  it("where there is none before the norm", async () => {
    const { normalize } = normOf(8);
    expect(await comparesAsEager(() => (x) => normalize(x))).toEqual(APART);
    expect(await comparesAsEager(() => (x) => normalize(normalize(x)))).toEqual([...APART, ...APART]);
  });

  it("where it is computed once, and the norm at each call", async () => {
    const [image, weights] = [made([2, 7, 6, 8], 8), w()];
    const build = () => {
      const { gamma, normalize } = normOf(12);
      return (x: Tensor) => {
        const y = normalize(conv2d(image, weights, { padding: 1 }));
        assign(gamma, add(gamma, sum(x)));
        return y;
      };
    };
    expect(await comparesAsEager(build)).toEqual(APART);
  });

  it("where it has a bias", async () => {
    const [weights, bias, { normalize }] = [w(), made([12], 5), normOf(12)];
    expect(await comparesAsEager(() => (x) => normalize(conv2d(x, weights, { padding: 1, bias })))).toEqual(
      APART,
    );
  });

  it("where a reshape changes its channels", async () => {
    const [weights, { normalize }] = [w(), normOf(4)];
    expect(
      await comparesAsEager(() => (x) => normalize(reshape(conv2d(x, weights, { padding: 1 }), [252, 4]))),
    ).toEqual(APART);
  });

  it("where its channels are not in fours", async () => {
    const [weights, { normalize }] = [made([3, 3, 6, 12], 2), normOf(12)];
    expect(await comparesAsEager(() => (x) => normalize(conv2d(x, weights)), 6)).toEqual(APART);
  });

  it("that is transposed", async () => {
    const [weights, { normalize }] = [made([3, 3, 8, 8], 2), normOf(8)];
    expect(await comparesAsEager(() => (x) => normalize(convTranspose2d(x, weights)))).toEqual(APART);
  });

  it("where its sums are split", async () => {
    const [weights, { normalize }] = [made([1, 1, 1024, 36], 2), normOf(36)];
    expect(await comparesAsEager(() => (x) => normalize(conv2d(x, weights)), 1024)).toEqual(APART);
  });

  it("on a software adapter", async ({ skip }) => {
    skip(!software.adapter.software, "this adapter is none");
    const [weights, { normalize }] = [made([3, 3, 8, 12], 2, software), normOf(12, software)];
    expect(await comparesAsEager(() => (x) => normalize(conv2d(x, weights)), 8, software)).toEqual([]);
  });

  /** Kernels after the pass, of a convolution and a norm whose launches were changed: those of ops are never so. */
  function ofChanged(change: (launch: Recorded) => Recorded[]): string[] {
    const [x, weights, { normalize }] = [made([2, 7, 6, 8], 1), w(), normOf(12)];
    const { recording } = record("changed", (x: Tensor) => normalize(conv2d(x, weights)), [x]);
    const launches = recording.recorder.launches.flatMap(change);
    recording.recorder.release();
    return leaveMoments(launches).map(({ kernel }) => kernel.name);
  }
  const ofKernel = (name: string, change: (launch: Recorded) => Recorded[]) => (launch: Recorded) =>
    launch.kernel.name === name ? change(launch) : [launch];

  it("where another launch reads the moments", () => {
    expect(ofChanged((launch) => [launch])).toEqual(FUSED);
    const twice = ofKernel("normalizeBatch", (norm) => [norm, norm]);
    expect(ofChanged(twice)).toEqual(["conv2d", ...APART, "normalizeBatch"]);
  });

  it("where the norm is of a part of its result", () => {
    const ofPart = ofKernel("normalizeBatch", (launch) => [
      { ...launch, params: { ...launch.params, M: 42 } },
    ]);
    expect(ofChanged(ofPart)).toEqual(["conv2d", ...APART]);
  });

  it.each(["tileMoments", "normalizeBatch"])("where %s reads its memory from another place on", (name) => {
    const further = ofKernel(name, (launch) => {
      const [y, ...others] = launch.reads;
      return [{ ...launch, reads: [{ ...y!, at: { offset: 256, bytes: 256 } }, ...others] }];
    });
    expect(ofChanged(further)).toEqual(["conv2d", ...APART]);
  });

  it("where the norm reads other moments", () => {
    const storage = new Storage(device, 4 * 100, "other moments", "planned");
    const others = ofKernel("normalizeBatch", ({ reads: [y, partial], ...norm }) => [
      { ...norm, reads: [y!, { ...partial!, storage }] },
    ]);
    expect(ofChanged(others)).toEqual(["conv2d", ...APART]);
  });

  it.each(["conv2d", "tileMoments", "normalizeBatch"])("where the caller names a variant of %s", (name) => {
    const named = ofKernel(name, (launch) => [{ ...launch, variant: launch.kernel.variants.plain.name }]);
    expect(ofChanged(named)).toEqual(["conv2d", ...APART]);
  });

  it.each(["conv2d", "normalizeBatch"])("where %s has other parameters at each call", (name) => {
    const changing = ofKernel(name, (launch) => [{ ...launch, paramsAtCall: () => launch.params }]);
    expect(ofChanged(changing)).toEqual(["conv2d", ...APART]);
  });
});
