import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  type Device,
  init,
  keep,
  maxPool2d,
  mul,
  ones,
  reshape,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init();
});

/** Bytes in use by tensors: to compare before anything is awaited, when the collector frees what other tests left. */
const inUse = () => device.counts.bytes - device.counts.freeBytes;

describe("scope", () => {
  it("frees what it made, except what it returns, at any depth", async () => {
    let lost: Tensor | undefined;
    const kept = scope(() => {
      lost = zeros([4]);
      return { pair: [ones([2]), 3], map: new Map([["x", ones([1])]]), set: new Set([ones([1])]) } as const;
    });
    expect(lost!.isDisposed).toBe(true);
    expect(kept.pair[0].isDisposed).toBe(false);
    expect(kept.map.get("x")!.isDisposed).toBe(false);
    expect([...kept.set][0]!.isDisposed).toBe(false);
  });

  it("hands what it returns to the scope around it", () => {
    let inner: Tensor | undefined;
    scope(() => {
      inner = scope(() => zeros([4]));
      expect(inner.isDisposed).toBe(false);
    });
    expect(inner!.isDisposed).toBe(true);
  });

  it("spares what was kept", () => {
    const mine = scope(() => {
      const parameter = keep(zeros([4]));
      return { get: () => parameter };
    }).get();
    expect(mine.isDisposed).toBe(false);
    mine.dispose();
  });

  it("spares what the gradient of a kept tensor needs, until backward has used it or it is disposed", async () => {
    const x = tensor([1, 2, 3, 4], [1, 2, 2, 1], { requiresGrad: true });
    const before = inUse();
    const forward = () => {
      let loss: Tensor | undefined;
      scope(() => {
        const inner = scope(() => mul(x, x));
        const h = mul(inner, tensor([2]));
        loss = keep(sum(maxPool2d(h, { kernel: 1 })));
        sum(h);
      });
      return loss!;
    };
    forward().dispose();
    expect(inUse()).toBe(before);
    const loss = forward();
    backward(loss);
    loss.dispose();
    const { grad } = x;
    x.grad = undefined;
    scope(() => {
      const h = mul(x, x);
      const loss = keep(sum(h));
      backward(loss);
      loss.dispose();
      expect(h.isDisposed).toBe(false);
    });
    x.grad!.dispose();
    x.grad = undefined;
    expect(inUse()).toBe(before + grad!.storage.buffer.size);
    expect([...(await grad!.data())]).toEqual([4, 8, 12, 16]);
    grad!.dispose();
    x.dispose();
  });

  it("spares it also where it is returned to a scope around", async () => {
    const x = tensor([1, 2], { requiresGrad: true });
    let loss: Tensor | undefined;
    scope(() => {
      scope(() => {
        const h = mul(x, x);
        loss = keep(sum(mul(h, h)));
        return h;
      });
    });
    backward(loss!);
    expect([...(await x.grad!.data())]).toEqual([4, 32]);
    for (const tensor of [loss!, x]) tensor.dispose();
  });

  it("frees also when the function throws", () => {
    const before = inUse();
    expect(() =>
      scope(() => {
        zeros([1000]);
        throw new Error("stop");
      }),
    ).toThrow("stop");
    expect(inUse()).toBe(before);
  });

  it("ends what was opened inside and left open, and lets the error through", () => {
    const before = inUse();
    expect(() =>
      scope(() => {
        scope();
        zeros([1000]);
        throw new Error("stop");
      }),
    ).toThrow("stop");
    const made = scope(() => {
      scope();
      return zeros([1000]);
    });
    expect(made.isDisposed).toBe(false);
    made.dispose();
    expect(inUse()).toBe(before);
  });

  it("keeps alive what the gradient of its result needs, until backward has used it", async () => {
    const x = tensor([1, 2, 3], undefined, { requiresGrad: true });
    const before = inUse();
    const loss = scope(() => sum(mul(mul(x, x), x)));
    backward(loss);
    loss.dispose();
    expect(inUse()).toBe(before + x.grad!.storage.buffer.size);
    expect([...(await x.grad!.data())]).toEqual([3, 12, 27]);
    x.dispose();
  });

  it("keeps nothing of a result that is disposed, constants and what ops saved included", () => {
    const x = tensor([1, 2, 3, 4], [1, 2, 2, 1], { requiresGrad: true });
    const before = inUse();
    const forward = () => scope(() => sum(mul(maxPool2d(mul(x, tensor([2])), { kernel: 1 }), ones([1]))));
    forward().dispose();
    expect(inUse()).toBe(before);
    const loss = forward();
    backward(loss);
    loss.dispose();
    x.grad!.dispose();
    x.grad = undefined;
    expect(inUse()).toBe(before);
    maxPool2d(x, { kernel: 1 }).dispose();
    expect(inUse()).toBe(before);
    x.dispose();
  });

  it("keeps what another result needs", async () => {
    const x = tensor([1, 2], undefined, { requiresGrad: true });
    const before = inUse();
    const [first, second] = scope(() => {
      const constant = tensor([3, 4]);
      const leaf = tensor([5, 6], undefined, { requiresGrad: true });
      return [sum(mul(mul(x, constant), leaf)), sum(mul(mul(constant, x), leaf))];
    });
    backward(first!);
    first!.dispose();
    backward(second!);
    second!.dispose();
    expect(inUse()).toBe(before + x.grad!.storage.buffer.size);
    expect([...(await x.grad!.data())]).toEqual([30, 48]);
    x.dispose();
  });

  it("disposes of a graph deeper than the call stack", () => {
    const x = tensor([1], undefined, { requiresGrad: true });
    const before = inUse();
    const deep = scope(() => {
      let y: Tensor = x;
      for (let i = 0; i < 20_000; i++) y = reshape(y, [1]);
      return sum(y);
    });
    deep.dispose();
    expect(inUse()).toBe(before);
    x.dispose();
  });

  it("leaves gradients to their leaves", async () => {
    const x = tensor([1, 2], undefined, { requiresGrad: true });
    scope(() => backward(sum(mul(x, x))));
    expect([...(await x.grad!.data())]).toEqual([2, 4]);
    x.dispose();
    expect(x.grad).toBeUndefined();
  });

  it("closes at the end of a block with `using`, as a tensor does", () => {
    let inner: Tensor;
    let single: Tensor;
    {
      using _ = scope();
      inner = zeros([4]);
    }
    {
      using x = zeros([4]);
      single = x;
    }
    expect(inner.isDisposed).toBe(true);
    expect(single.isDisposed).toBe(true);
  });

  it("refuses a function that is async, and what that trips over later goes unsaid", async () => {
    const late = async () => {
      const x = zeros([1]);
      await Promise.resolve();
      return x.data();
    };
    expect(() => scope(late)).toThrow(TypeError);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(() => scope(async () => zeros([1]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: scope: the function is async, and what it makes later would belong to nobody. Return tensors and read them outside.]`,
    );
  });
});

describe("the pool", () => {
  it("creates nothing in a loop that makes the same tensors", async () => {
    const step = () => scope(() => mul(mul(ones([31, 17]), zeros([31, 17])), 2));
    for (let i = 0; i < 3; i++) step().dispose();
    const { buffers, bindGroups, pipelines, bytes } = device.counts;
    for (let i = 0; i < 100; i++) step().dispose();
    expect(device.counts).toMatchObject({ buffers, bindGroups, pipelines, bytes });
  });

  it("gives memory back when it is trimmed", async () => {
    zeros([1 << 20]).dispose();
    const { bytes } = device.counts;
    device.trim();
    expect(device.counts.freeBytes).toBe(0);
    expect(device.counts.bytes).toBeLessThan(bytes);
    expect([...(await ones([3]).data())]).toEqual([1, 1, 1]);
  });
});
