import { beforeAll, describe, expect, it } from "vitest";
import {
  add,
  autocast,
  backward,
  clamp,
  compile,
  type Device,
  dropout,
  init,
  keep,
  manualSeed,
  matmul,
  mul,
  noGrad,
  ones,
  openDevice,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { BatchNorm2d, Conv2d, evaluate, train } from "../../src/nn/index.ts";
import { Adam, SGD } from "../../src/optim/index.ts";
import { relativeError } from "../compare.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

const values = async (y: Tensor) => [...(await y.data())];
const weight = (...numbers: number[]) => keep(tensor(numbers, { requiresGrad: true }));

describe("memory from before", () => {
  it("that the function itself gives, stays its own", async () => {
    using f = compile((x: Tensor) => mul(x, tensor([2, 3])));
    for (let i = 0; i < 3; i++) {
      using y = await f(tensor([1, 1]));
      const others = Array.from({ length: 20 }, () => tensor([7, 7]));
      expect(await values(y)).toEqual([2, 3]);
      for (const other of others) other.dispose();
    }
  });

  it("that the function frees could only be freed once", async () => {
    const w = weight(1, 2);
    const optimizer = new SGD([w], { lr: 1 });
    const step = (x: Tensor) => {
      const loss = sum(mul(w, x));
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    };
    scope(() => backward(sum(mul(w, tensor([7, 7])))));
    using compiled = compile(step);
    const x = tensor([1, 1]);
    await expect(compiled(x)).rejects.toThrow(
      /^compile: the function frees pre-existing storage, 8 bytes, .* optimizer\.zeroGrad\(\) clears/,
    );
    w.grad = undefined;
    (await compiled(x)).dispose();
    expect(await values(w)).toEqual([0, 1]);
  });
});

describe("a recording that fails", () => {
  it("leaves the optimizer's counters and the gradients as they were", async () => {
    const w = weight(1);
    const optimizer = new Adam([w], { lr: 0.1 });
    const step = (x: Tensor) => {
      optimizer.zeroGrad();
      const loss = sum(mul(w, x));
      backward(loss);
      optimizer.step();
      return loss;
    };
    await expect(compile(step)(tensor([2]))).rejects.toThrow("leaves 1 tensors behind");
    expect(optimizer.groups[0]!.slots[0]!.steps).toBe(0);
    scope(() => step(tensor([2])));
    expect(await values(w.grad!)).toEqual([2]);
    expect((await values(w))[0]).toBeCloseTo(0.9, 5);
  });

  it("counts nothing where an argument was disposed", async () => {
    const w = weight(1);
    const optimizer = new SGD([w], { lr: 0.1 });
    const { slots } = optimizer.groups[0]!;
    using step = compile((x: Tensor) => {
      const loss = sum(mul(w, x));
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    });
    const x = tensor([2]);
    await step(x);
    x.dispose();
    await expect(step(x)).rejects.toThrow("compile: argument 0 was disposed");
    expect(slots[0]!.steps).toBe(1);
  });

  it("under autocast leaves nothing of its precision", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    using f = compile((x: Tensor) => matmul(x, x));
    const x = ones([4, 4]);
    let call: Promise<Tensor> | undefined;
    const inside = () => {
      call = f(x);
      return call;
    };
    expect(() => autocast("f16", inside)).toThrow("autocast: the function is async");
    expect((await call!).dtype).toBe("f16");
    expect((await f(x)).dtype).toBe("f32");
  });
});

describe("what the host decides", () => {
  it("random numbers begin again with manualSeed, and go on from call to call", async () => {
    const x = ones([64]);
    using f = compile((x: Tensor) => dropout(x, 0.5));
    const draw = async (seed?: number) => {
      if (seed !== undefined) manualSeed(seed);
      return values(await f(x));
    };
    const [first, second, again] = [await draw(1), await draw(), await draw(1)];
    manualSeed(1);
    expect(first).toEqual(await values(dropout(x, 0.5)));
    expect(second).toEqual(await values(dropout(x, 0.5)));
    expect(second).not.toEqual(first);
    expect(again).toEqual(first);
  });

  it("Adam's steps are counted at each call", async () => {
    const trained = async (isCompiled: boolean) => {
      const w = weight(1, -2, 3);
      const optimizer = new Adam([w], { lr: 0.1 });
      const eager = (x: Tensor) => {
        const loss = sum(mul(mul(w, w), x));
        backward(loss);
        optimizer.step();
        optimizer.zeroGrad();
        return loss;
      };
      const compiled = compile(eager);
      for (let i = 1; i <= 5; i++) {
        optimizer.lr = 0.1 / i;
        const x = tensor([1, i, 2]);
        (isCompiled ? await compiled(x) : scope(() => eager(x))).dispose();
      }
      return values(w);
    };
    expect(relativeError(await trained(true), await trained(false))).toBeLessThan(1e-6);
  });

  it("options of an optimizer, and which weights it moves, may change", async () => {
    const trained = async (isCompiled: boolean) => {
      const [w, frozen] = [weight(1), weight(1)];
      const optimizer = new SGD([w, frozen], { lr: 1 });
      const [group] = optimizer.groups;
      const eager = (x: Tensor) => {
        const loss = sum(mul(add(w, frozen), x));
        backward(loss);
        optimizer.step();
        optimizer.zeroGrad();
        return loss;
      };
      const compiled = compile(eager);
      const changes = [
        () => {},
        () => Object.assign(group!, { momentum: 0.5 }),
        () => Object.assign(group!, { nesterov: true }),
        () => Object.assign(frozen, { requiresGrad: false }),
      ];
      for (const change of changes) {
        change();
        for (let i = 0; i < 2; i++) {
          const x = tensor([1 + i]);
          (isCompiled ? await compiled(x) : scope(() => eager(x))).dispose();
        }
      }
      return [...(await values(w)), ...(await values(frozen))];
    };
    expect(await trained(true)).toEqual(await trained(false));
  });

  it("a choice that changes while the first call is prepared holds for the second", async () => {
    const bn = new BatchNorm2d(4);
    evaluate(bn);
    const x = tensor(
      Float32Array.from({ length: 32 }, (_, i) => i % 5),
      [2, 2, 2, 4],
    );
    using f = compile((x: Tensor) => noGrad(() => bn.forward(x)));
    const first = f(x);
    train(bn);
    const second = f(x);
    const expected = [0, 1, 0, 0].map(() => scope(() => noGrad(() => new BatchNorm2d(4).forward(x))));
    expect(relativeError(await values(await first), await values(x))).toBeLessThan(1e-4);
    expect(relativeError(await values(await second), await values(expected[0]!))).toBeLessThan(1e-6);
    expect((await values(bn.runningMean)).some((mean) => mean !== 0)).toBe(true);
  });
});

it("numbers that are not finite are not written into shaders", async () => {
  using f = compile((x: Tensor) => clamp(matmul(x, x), 0, Infinity));
  expect(
    await values(
      await f(
        tensor([
          [-1, 0],
          [0, 2],
        ]),
      ),
    ),
  ).toEqual([1, 0, 0, 4]);
});

it("what is too large for the device says so", async () => {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.gpu.limits;
  const side = Math.ceil(Math.sqrt(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 4)) + 1;
  const [x, y] = [ones([side, 1]), ones([1, side])];
  using f = compile((x: Tensor, y: Tensor) => matmul(x, y));
  const text = new RegExp(`a tensor f32 \\[${side}, ${side}\\] needs .*; this device binds at most`);
  await expect(f(x, y)).rejects.toThrow(text);
});

it("a plan is for one device, and another gets its own", async () => {
  const other = await openDevice({ quiet: true });
  using f = compile((x: Tensor) => mul(x, 2));
  for (const on of [device, other, device]) {
    const y = await f(tensor([3], { device: on }));
    expect(y.device).toBe(on);
    expect(await values(y)).toEqual([6]);
  }
  using g = compile((x: Tensor, y: Tensor) => [mul(x, 2), mul(y, 2)]);
  await expect(g(tensor([1]), tensor([1], { device: other }))).rejects.toThrow(
    /^compile: tensors of two devices/,
  );
  const w = keep(tensor([5], { device: other }));
  using h = compile(() => mul(w, 2));
  expect(await values(await h())).toEqual([10]);
  other.gpu.destroy();
});

it("profile makes one call, and keeps nothing", async ({ skip }) => {
  skip(!device.adapter.features.has("timestamp-query"), "the adapter has no timestamp-query");
  const w = weight(1);
  const optimizer = new SGD([w], { lr: 1 });
  using step = compile((x: Tensor) => {
    const loss = sum(mul(w, x));
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  await step.profile(tensor([1]));
  expect(await values(w)).toEqual([0]);
  using same = compile((x: Tensor) => x.view());
  expect(await same.profile(tensor([1]))).toEqual([]);
});

it("batch norm goes into weights that are padded, too", async () => {
  const [conv, bn] = [new Conv2d(3, 8, 3), new BatchNorm2d(8)];
  evaluate(bn);
  const x = tensor(
    Float32Array.from({ length: 3 * 36 }, (_, i) => Math.sin(i)),
    [1, 6, 6, 3],
  );
  const forward = (x: Tensor) => noGrad(() => bn.forward(conv.forward(x)));
  using f = compile(forward);
  expect(relativeError(await values(await f(x)), await values(forward(x)))).toBeLessThan(1e-6);
  expect(f.plan!.steps.map(({ kernel }) => kernel)).not.toContain("normalize");
});
