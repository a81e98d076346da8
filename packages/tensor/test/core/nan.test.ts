import { beforeAll, describe, expect, it, vi } from "vitest";
import { NaNWatch } from "../../src/core/nan.ts";
import { observe } from "../../src/core/observe.ts";
import {
  add,
  backward,
  batchNorm,
  type Device,
  describeOrigin,
  div,
  exp,
  findNaN,
  init,
  log,
  mul,
  ones,
  openDevice,
  scope,
  sqrt,
  sub,
  sum,
  tensor,
} from "../../src/index.ts";
import { SGD } from "../../src/optim/index.ts";

let device: Device;

beforeAll(async () => {
  device = await init();
});

describe("findNaN", () => {
  it("finds nothing where all is well", async () => {
    expect(await findNaN(() => scope(() => sum(mul(ones([3, 5]), 2))))).toBeUndefined();
    expect(await findNaN(() => {})).toBeUndefined();
  });

  it("names the op that made the first one, of many elements", async () => {
    const x = tensor(Float32Array.from({ length: 70_001 }, (_, i) => (i === 69_999 ? -1 : i)));
    const origin = await findNaN(() => scope(() => sum(mul(sqrt(add(x, 0)), log(x)))));
    expect(origin).toEqual({ op: "sqrt", kernel: "map", given: false, infiniteSince: undefined });
    expect(describeOrigin(origin!)).toBe("sqrt made it (in its kernel map)");
  });

  it("keeps no memory", async () => {
    // A device of its own: on the other one the collector frees, meanwhile, what other tests left.
    const own = await openDevice({ quiet: true });
    const inUse = () => own.counts.bytes - own.counts.freeBytes;
    const x = tensor(new Float32Array(300_000).fill(1), { device: own });
    await findNaN(() => scope(() => void sum(mul(x, 2))), own);
    const before = inUse();
    const origin = await findNaN(() => scope(() => void sum(mul(sqrt(sub(x, 2)), 2))), own);
    expect(origin!.op).toBe("sqrt");
    expect(inUse()).toBe(before);
    own.destroy();
  });

  it("looks at one device alone", async () => {
    const other = await openDevice({ quiet: true });
    const there = tensor([-1], { device: other });
    expect(await findNaN(() => sqrt(there), device)).toBeUndefined();
    expect((await findNaN(() => sqrt(there), other))!.op).toBe("sqrt");
    other.destroy();
  });

  it("waits for a function that is async", async () => {
    const origin = await findNaN(async () => {
      await Promise.resolve();
      sqrt(tensor([-1]));
    });
    expect(origin!.op).toBe("sqrt");
  });

  it("tells what was infinite before", async () => {
    const origin = await findNaN(() =>
      scope(() => {
        const huge = exp(tensor([1, 1000]));
        return sub(huge, mul(huge, 2));
      }),
    );
    expect(describeOrigin(origin!)).toBe(
      "sub made it (in its kernel map), of values that are infinite since exp",
    );
  });

  it("names an op of several kernels by its own name", async () => {
    const x = tensor([[1], [Number.POSITIVE_INFINITY]]);
    const origin = await findNaN(() => scope(() => batchNorm(x, ones([1]), ones([1]), { training: true })));
    expect(origin!.op).toBe("batchNorm");
  });

  it("names the op whose gradient made it", async () => {
    const x = tensor([0, 4], [2], { requiresGrad: true });
    const origin = await findNaN(() =>
      scope(() => {
        const y = sqrt(x);
        backward(sum(mul(y, y)));
      }),
    );
    // 1 / (2 √0) is infinite, and y's gradient is 0 there.
    expect(origin!.op).toBe("the gradient of sqrt");
    x.dispose();
  });

  it("tells a tensor that held it before, and what an optimizer made", async () => {
    const x = tensor([1, Number.NaN]);
    const given = await findNaN(() => scope(() => mul(x, 2)));
    expect(describeOrigin(given!)).toBe(
      "mul was given it: a tensor that its kernel map reads held NaN before",
    );

    const w = tensor([Number.POSITIVE_INFINITY], [1], { requiresGrad: true });
    const optimizer = new SGD([w], { lr: 1 });
    w.grad = tensor([Number.POSITIVE_INFINITY]);
    const moved = await findNaN(() => {
      optimizer.step();
      scope(() => add(ones([1]), 1));
    });
    expect(moved).toEqual({ op: "sgd", kernel: "sgd", given: false, infiniteSince: "sgd" });
    for (const tensor of [x, w]) tensor.dispose();
  });
});

it("a watch warns where numbers are read, once per origin", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const before = observe(new NaNWatch());
  try {
    using zero = tensor([0]);
    using nan = div(zero, zero);
    expect(await nan.item()).toBeNaN();
    expect(warn.mock.calls).toEqual([["shadegrad: there is a NaN; div made it (in its kernel map)."]]);
    using fine = add(zero, 1);
    expect(await fine.item()).toBe(1);
    expect(warn).toHaveBeenCalledTimes(1);
  } finally {
    observe(before);
    device.onRead = undefined;
    warn.mockRestore();
  }
});
