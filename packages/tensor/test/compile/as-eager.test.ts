import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  assign,
  backward,
  compile,
  type Device,
  init,
  keep,
  manualSeed,
  matmul,
  mean,
  mul,
  noGrad,
  ones,
  openDevice,
  rand,
  scope,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, evaluate, inMode, type Layer, Sequential, train } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const values = async (y: Tensor) => [...(await y.data())];

/** Results of `calls` calls of a function of no arguments, compiled. */
async function called(f: () => Tensor, calls = 3): Promise<number[][]> {
  using compiled = compile(f);
  const results: number[][] = [];
  for (let i = 0; i < calls; i++) {
    using y = await compiled();
    results.push(await values(y));
  }
  return results;
}

describe("numbers of the host", () => {
  it("that are changed in place begin again at each call", async () => {
    const counted = () => {
      const t = tensor([0, 5]);
      assign(t, add(t, 1));
      return t;
    };
    expect(await called(counted)).toEqual([
      [1, 6],
      [1, 6],
      [1, 6],
    ]);
  });

  it("that are changed and read before and after are each time the same", async () => {
    const f = () => {
      const t = tensor([1, 2]);
      const before = mul(t, 10);
      assign(t, add(t, before));
      return add(before, t);
    };
    const expected = await values(scope(f));
    expect(await called(f)).toEqual([expected, expected, expected]);
  });

  it("that a tensor is filled with are written at each call", async () => {
    const w = keep(tensor([7]));
    const f = () => {
      assign(w, [0]);
      assign(w, add(w, 1));
      return w.view();
    };
    expect(await called(f)).toEqual([[1], [1], [1]]);
    using g = compile((x: Tensor) => {
      assign(x, [3]);
      return add(x, w);
    });
    const x = tensor([9]);
    expect(await values(await g(x))).toEqual([4]);
    expect(await values(await g(x))).toEqual([4]);
  });

  it("in a tensor that outlives the function are its state", async () => {
    let state: Tensor | undefined;
    const f = () => {
      state ??= keep(tensor([0]));
      assign(state, add(state, 1));
      return state;
    };
    expect(await called(f)).toEqual([[1], [2], [3]]);
  });
});

it("a result of weights alone outlasts others that are made from it", async () => {
  const w = tensor([2, 0, 0, 2], [2, 2]);
  using f = compile((x: Tensor) => {
    const first = matmul(w, w);
    const third = matmul(matmul(first, w), w);
    return [first, matmul(x, third)];
  });
  for (let i = 1; i < 3; i++) {
    const [first, y] = await f(ones([2, 2]));
    expect([await values(first!), await values(y!)]).toEqual([
      [4, 0, 0, 4],
      [16, 16, 16, 16],
    ]);
  }
  expect(f.plan).toMatchObject({ constant: 3, launches: 1 });
});

it("a function may return nothing beside tensors", async () => {
  using f = compile((x: Tensor) => ({ y: mul(x, 2), none: null, missing: undefined }));
  const { y, ...others } = await f(tensor([3]));
  expect(await values(y)).toEqual([6]);
  expect(others).toEqual({ none: null, missing: undefined });
});

it("a function that only returns a weight gives a copy, on the weight's device", async () => {
  const other = await openDevice({ quiet: true });
  const w = tensor([3, 4], { device: other });
  using f = compile(() => w);
  const y = await f();
  expect(y.device).toBe(other);
  assign(w, [5, 6]);
  expect([await values(y), await values(await f())]).toEqual([
    [3, 4],
    [5, 6],
  ]);
  other.destroy();
});

it("arguments are copied when it is called, at the first call too", async () => {
  using f = compile((x: Tensor) => mul(x, 2));
  for (let i = 0; i < 2; i++) {
    const x = tensor([1]);
    const y = f(x);
    assign(x, [100]);
    x.dispose();
    expect(await values(await y)).toEqual([2]);
  }
});

describe("weights that change after a call", () => {
  const changed = /^compile: tensors that the function uses .* await its first call before weights change/;

  it("are those of the call, or it fails: at the first call, which waits for its plan", async () => {
    const w = tensor([2]);
    using f = compile((x: Tensor) => mul(x, w));
    const [first, second] = [f(tensor([1])), f(tensor([5]))];
    assign(w, [100]);
    await expect(first).rejects.toThrow(changed);
    await expect(second).rejects.toThrow(changed);
    const later = f(tensor([1]));
    assign(w, [7]);
    expect(await values(await later)).toEqual([100]);
    expect(await values(await f(tensor([1])))).toEqual([7]);
  });

  it("may be changed by calls that wait, of the function itself and of others", async () => {
    const w = tensor([1]);
    using step = compile((x: Tensor) => {
      assign(w, add(w, x));
      return mul(w, 1);
    });
    const results = await Promise.all([step(tensor([1])), step(tensor([2]))]);
    expect(await Promise.all(results.map(values))).toEqual([[2], [4]]);
    expect(await values(w)).toEqual([4]);
  });
});

it("tensors of two devices are refused at every call, and say so", async () => {
  const other = await openDevice({ quiet: true });
  const w = tensor([2]);
  using f = compile((x: Tensor, y: Tensor) => add(mul(x, w), y));
  const [here, there] = [tensor([1]), tensor([1], { device: other })];
  const both = /^compile: tensors of two devices, .* opened twice/;
  await expect(f(here, there)).rejects.toThrow(both);
  expect(await values(await f(here, here))).toEqual([3]);
  for (let i = 0; i < 2; i++) {
    await expect(f(here, there)).rejects.toThrow(both);
    await expect(f(there, there)).rejects.toThrow(/two devices/);
  }
  expect(await values(await f(here, here))).toEqual([3]);
  other.destroy();
});

it("random numbers go on from call to call, as they do op by op", async () => {
  const f = () => add(rand([5]), mul(rand([5]), 10));
  manualSeed(3);
  const compiled = await called(f);
  manualSeed(3);
  for (const numbers of compiled) expect(numbers).toEqual(await values(scope(f)));
});

describe("the mode of a layer", () => {
  /** A layer of somebody else, which knows nothing of compile. */
  class Doubling implements Layer {
    training = true;
    forward(x: Tensor): Tensor {
      return this.training ? mul(x, 2) : x.view();
    }
  }

  it("is noticed though the layer does nothing for it, by whatever it is changed", async () => {
    const layer = new Doubling();
    const model = new Sequential(layer);
    using f = compile((x: Tensor) => model.forward(x));
    const x = tensor([3]);
    const y = async () => (await values(await f(x)))[0];
    expect(await y()).toBe(6);
    evaluate(model);
    expect(await y()).toBe(3);
    train(model);
    expect(await y()).toBe(6);
    layer.training = false;
    expect(await y()).toBe(3);
    expect(await values(await inMode(model, true, () => f(x)))).toEqual([6]);
    expect(await y()).toBe(3);
  });

  it("is noticed where it is an accessor", async () => {
    class Named implements Layer {
      mode = "train";
      get training() {
        return this.mode === "train";
      }
      set training(training: boolean) {
        this.mode = training ? "train" : "use";
      }
      forward = (x: Tensor) => (this.mode === "train" || this.training ? mul(x, 2) : x.view());
    }
    const layer = evaluate(new Named());
    using f = compile((x: Tensor) => layer.forward(x));
    const x = tensor([3]);
    expect(await values(await f(x))).toEqual([3]);
    train(layer);
    expect(layer.mode).toBe("train");
    expect(await values(await f(x))).toEqual([6]);
  });
});

it("a prediction with folded weights follows a compiled training", async () => {
  manualSeed(1);
  const model = new Sequential(new Conv2d(2, 4, 3), new BatchNorm2d(4));
  const optimizer = new SGD(model, { lr: 0.5 });
  const x = rand([2, 5, 5, 2]);
  const predict = (x: Tensor) => noGrad(() => model.forward(x));
  using step = compile((x: Tensor) => {
    const y = model.forward(x);
    const loss = mean(mul(y, mul(y, y)));
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  using predicted = compile(predict);
  for (let i = 0; i < 3; i++) {
    evaluate(model);
    const [compiled, eager] = [await predicted(x), scope(() => predict(x))];
    expect(relativeError(await values(compiled), await values(eager))).toBeLessThan(1e-5);
    expect(predicted.plan!.steps.map(({ kernel }) => kernel)).not.toContain("normalize");
    train(model);
    (await step(x)).dispose();
  }
  expect(device.isLost).toBe(false);
});
