import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeAdjacent } from "../../src/core/adjacent.ts";
import { choice } from "../../src/core/recorder.ts";
import {
  autocast,
  backward,
  cast,
  compile,
  type Device,
  init,
  matmul,
  mul,
  ones,
  openDevice,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  bytesInUse,
  eagerly,
  expectClose,
  holdNext,
  input,
  patience,
  training,
  values,
} from "./waiting-calls.ts";

let device: Device;
// A device for each test: nothing else takes its memory, and some are destroyed.
beforeEach(async () => {
  device = await init({ quiet: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  device.destroy();
});

describe("training steps that are not awaited run in order, each once", () => {
  type Act = "call" | "choose" | "move";
  it.each<Act[][]>([
    [["call", "call", "call"]],
    [["call", "move"]],
    [["call", "call", "move"]],
    [["call", "move", "call", "call"]],
    [["call", "choose", "call", "choose", "call"]],
    [["call", "call", "choose", "call", "call"]],
    [["call", "choose", "call", "call", "move"]],
    [["call", "choose", "call", "move", "call"]],
    [["call", "move", "call", "move", "call"]],
  ])("%s", async (acts) => {
    const trained = training();
    using step = compile(trained.step);
    const calls: Promise<Tensor>[] = [];
    for (const act of acts) {
      if (act === "call") {
        using x = input(calls.length);
        calls.push(step(x));
      } else trained[act]();
    }
    const losses = (await Promise.all(calls.map(values))).flat();
    // And one that runs at once.
    losses.push(...(await values(step(input(calls.length)))));
    const expected = await eagerly(calls.length + 1);
    expectClose(losses, expected.losses);
    expectClose(await trained.state(), expected.state);
    expect(trained.steps()).toEqual([calls.length + 1, calls.length + 1]);
  });

  it.each([0, 1])("though a later one is ready before number %i", async (late) => {
    const trained = training();
    using step = compile(trained.step);
    const calls: Promise<Tensor>[] = [];
    let held: { open(): void } | undefined;
    for (let i = 0; i < 3; i++) {
      if (i === late) held = holdNext(device);
      calls.push(step(input(i)));
      trained.choose();
      if (i < late) await calls[i];
    }
    // One with the plan of the last.
    trained.host.mode = 2;
    await patience();
    calls.push(step(input(3)));
    held!.open();
    const expected = await eagerly(4);
    expectClose((await Promise.all(calls.map(values))).flat(), expected.losses);
    expectClose(await trained.state(), expected.state);
  });

  it("though the first of them has not waited to the end", async () => {
    const trained = training();
    using step = compile(trained.step);
    const calls = [step(input(0)), step(input(1))];
    trained.choose();
    const held = holdNext(device);
    calls.push(step(input(2)));
    await calls[1];
    trained.choose();
    calls.push(step(input(3)));
    await patience();
    held.open();
    const expected = await eagerly(4);
    expectClose((await Promise.all(calls.map(values))).flat(), expected.losses);
    expectClose(await trained.state(), expected.state);
  });
});

it("a call after those that waited runs at once", async () => {
  using f = compile((x: Tensor) => mul(x, 2));
  const x = tensor([1]);
  await Promise.all([f(x), f(x)]);
  const { launches } = device.counts;
  const call = f(x);
  expect(device.counts.launches).toBe(launches + 1);
  await call;
});

describe("memory that moves while a plan is prepared", () => {
  it("is read where it is then, and what waited leaves nothing behind", async () => {
    const [w, v] = [tensor([2, 3]), tensor([5])];
    const x = tensor([10, 10]);
    makeAdjacent([w, v]);
    const before = await bytesInUse(device);
    const f = compile((x: Tensor) => mul(x, w));
    const call = f(x);
    makeAdjacent([v, w]);
    using y = await call;
    expect(await values(y)).toEqual([20, 30]);
    y.dispose();
    f.dispose();
    expect(await bytesInUse(device)).toBe(before);
  });

  it("takes a plan for an argument that requires a gradient as well", async () => {
    const [w, v] = [tensor([2, 3]), tensor([5])];
    using gradient = compile((x: Tensor) => {
      const y = mul(x, w);
      if (x.requiresGrad) backward(sum(y));
      return x.grad ?? y;
    });
    const call = gradient(tensor([10, 10], { requiresGrad: true }));
    makeAdjacent([v, w]);
    expect(await values(call)).toEqual([2, 3]);
  });

  it("takes a plan of the precision that the call was made with", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const [w, v] = [ones([2, 2]), tensor([5])];
    using f = compile((x: Tensor) => matmul(x, w));
    let call: Promise<Tensor> | undefined;
    autocast("f16", () => {
      call = f(ones([2, 2]));
    });
    makeAdjacent([v, w]);
    expect((await call!).dtype).toBe("f16");
    expect((await f(ones([2, 2]))).dtype).toBe("f32");
  });
});

describe("dispose while a plan is prepared", () => {
  it("lets the calls that wait run, and gives the memory back after them", async () => {
    const x = ones([1000]);
    const before = await bytesInUse(device);
    const f = compile((x: Tensor) => mul(sum(mul(x, 2)), x));
    const calls = [f(x), f(x)];
    f.dispose();
    for (const call of calls) {
      using y = await call;
      expect((await values(y))[0]).toBe(2000);
    }
    expect(await bytesInUse(device)).toBe(before);
    using y = await f(x);
    expect((await values(y))[0]).toBe(2000);
    y.dispose();
    f.dispose();
    expect(await bytesInUse(device)).toBe(before);
  });
});

describe("a function has one plan", () => {
  /** Recordings of a function so far. */
  function counting() {
    const made = { count: 0, mode: 0 };
    const f = compile((x: Tensor) => {
      made.count++;
      choice(() => made.mode);
      return matmul(x, x);
    });
    return { made, f };
  }

  it("for each device, shape, type and need of a gradient", async () => {
    const other = await openDevice({ quiet: true });
    const { made, f } = counting();
    const inputs = [
      ones([2, 2]),
      ones([3, 3]),
      ones([2, 2], { requiresGrad: true }),
      ones([2, 2], { device: other }),
    ];
    if (device.adapter.features.has("shader-f16")) inputs.push(cast(ones([2, 2]), "f16"));
    for (let round = 0; round < 2; round++) {
      for (const x of inputs) expect((await values(f(x)))[0]).toBe(x.shape[0]);
    }
    expect(made.count).toBe(inputs.length);
    f.dispose();
    other.destroy();
  });

  it("for each precision", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const { made, f } = counting();
    const types: string[] = [];
    for (const precision of ["f32", "f16", "f32", "f16"] as const) {
      let call: Promise<Tensor> | undefined;
      autocast(precision, () => {
        call = f(ones([2, 2]));
      });
      types.push((await call!).dtype);
    }
    expect(types).toEqual(["f32", "f16", "f32", "f16"]);
    expect(made.count).toBe(2);
    f.dispose();
  });

  it("whose memory is given back when another one takes its place", async () => {
    const { made, f } = counting();
    const x = ones([64, 64]);
    (await f(x)).dispose();
    const before = await bytesInUse(device);
    for (made.mode = 1; made.mode < 4; made.mode++) (await f(x)).dispose();
    expect(made.count).toBe(4);
    expect(await bytesInUse(device)).toBe(before);
    f.dispose();
  });

  it("whose summary is that of the latest call, until it is disposed", async () => {
    const { f } = counting();
    expect(f.plan).toBeUndefined();
    const [x, y] = [ones([2, 2]), ones([64, 64])];
    await f(x);
    const small = f.plan!.bytes;
    await f(y);
    expect(f.plan!.bytes).toBeGreaterThan(small);
    await f(x);
    expect(f.plan!.bytes).toBe(small);
    f.dispose();
    expect(f.plan).toBeUndefined();
  });
});
