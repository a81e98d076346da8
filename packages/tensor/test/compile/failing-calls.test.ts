import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { observe } from "../../src/core/observe.ts";
import {
  add,
  assign,
  backward,
  compile,
  type Device,
  dropout,
  init,
  manualSeed,
  mul,
  ones,
  openDevice,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  BROKEN,
  broken,
  bytesInUse,
  CHANGED,
  eagerly,
  errorOf,
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

describe("weights that change while a plan is prepared", () => {
  it("let the calls before fail, and those after run as if these had not been made", async () => {
    const trained = training();
    using step = compile(trained.step);
    const failing = [step(input(7)), step(input(8))].map(errorOf);
    trained.change();
    trained.optimizer.lr = 0.5;
    const calls = [step(input(0)), step(input(1))];
    expect(await Promise.all(failing)).toEqual([CHANGED, CHANGED]);
    const losses = (await Promise.all(calls.map(values))).flat();
    const eager = training();
    eager.optimizer.lr = 0.5;
    const expected: number[] = [];
    for (let i = 0; i < 2; i++) expected.push(...(await values(scope(() => eager.step(input(i))))));
    expectClose(losses, expected);
    expectClose(await trained.state(), await eager.state());
    expect(trained.steps()).toEqual([2, 2]);
  });

  it("take nothing back of a call that has run", async ({ skip }) => {
    skip(!device.adapter.features.has("timestamp-query"), "the adapter has no timestamp-query");
    const trained = training();
    using step = compile(trained.step);
    // A profile waits for its launches once it has made them.
    vi.spyOn(device, "synchronize").mockImplementationOnce(async () => {
      expect(trained.steps()).toEqual([1, 1]);
      trained.change();
    });
    const first = step.profile(input(0));
    const failing = errorOf(step(input(1)));
    expect((await first).length).toBeGreaterThan(0);
    expect(await failing).toEqual(CHANGED);
    expect(trained.steps()).toEqual([1, 1]);
  });

  it("leave the gradients that are computed meanwhile", async () => {
    const w = tensor([1], { requiresGrad: true });
    using f = compile((x: Tensor) => {
      const loss = mul(w, x);
      backward(loss);
      w.grad!.dispose();
      w.grad = undefined;
      return loss;
    });
    const failing = errorOf(f(tensor([2])));
    backward(mul(w, 3));
    assign(w, [1]);
    expect(await failing).toEqual(CHANGED);
    expect(await values(w.grad!)).toEqual([3]);
  });

  it("leave the random numbers to the next call", async () => {
    const [x, w] = [ones([64]), tensor([1])];
    using f = compile((x: Tensor) => dropout(mul(x, w), 0.5));
    const failing = errorOf(f(x));
    assign(w, [1]);
    expect(await failing).toEqual(CHANGED);
    manualSeed(3);
    const found = [await values(f(x)), await values(f(x))];
    manualSeed(3);
    expect(found).toEqual([await values(dropout(x, 0.5)), await values(dropout(x, 0.5))]);
  });

  it("leave no copies of arguments", async () => {
    const [x, w] = [ones([1000]), tensor([1])];
    const f = compile((x: Tensor) => mul(x, w));
    const before = await bytesInUse(device);
    const failing = errorOf(f(x));
    assign(w, [1]);
    expect(await failing).toEqual(CHANGED);
    f.dispose();
    expect(await bytesInUse(device)).toBe(before);
  });
});

describe("a plan that fails", () => {
  it("fails the calls that wait for it, and the next one tries again", async () => {
    const trained = training();
    using step = compile(trained.step);
    trained.host.isBroken = true;
    const failing = [step(input(7)), step(input(8))].map(errorOf);
    expect(await Promise.all(failing)).toEqual([BROKEN, BROKEN]);
    expect(trained.steps()).toEqual([0, 0]);
    expect(await errorOf(step(input(9)))).toEqual(BROKEN);
    trained.host.isBroken = false;
    const losses = [...(await values(step(input(0)))), ...(await values(step(input(1))))];
    const expected = await eagerly(2);
    expectClose(losses, expected.losses);
    expectClose(await trained.state(), expected.state);
    expect(trained.steps()).toEqual([2, 2]);
  });

  it("between others fails its call alone, and counts for none of them", async () => {
    const trained = training();
    using step = compile(trained.step);
    const held = holdNext(device);
    const calls = [step(input(0))];
    // The call before keeps its own.
    trained.optimizer.lr = 0.5;
    trained.host.isBroken = true;
    trained.choose();
    const failing = errorOf(step(input(7)));
    trained.host.isBroken = false;
    trained.choose();
    calls.push(step(input(1)));
    await patience();
    held.open();
    expect(await failing).toEqual(BROKEN);
    const losses = (await Promise.all(calls.map(values))).flat();
    const prepare = vi.spyOn(device.launcher, "prepare").mockClear();
    losses.push(...(await values(step(input(2)))));
    expect(prepare).not.toHaveBeenCalled();
    const eager = training();
    const expected = await values(scope(() => eager.step(input(0))));
    eager.optimizer.lr = 0.5;
    for (const i of [1, 2]) expected.push(...(await values(scope(() => eager.step(input(i))))));
    expectClose(losses, expected);
    expectClose(await trained.state(), await eager.state());
    expect(trained.steps()).toEqual([3, 3]);
  });

  it("leaves nothing behind", async () => {
    const [x, w] = [ones([1000]), ones([1000])];
    const before = await bytesInUse(device);
    // A constant launch, numbers of the host, and a result that is an argument.
    using f = compile((x: Tensor) => [broken(x), mul(sum(w), x), tensor(new Float32Array(500)), x]);
    expect(await errorOf(f(x))).toEqual(BROKEN);
    expect(await bytesInUse(device)).toBe(before);
  });

  it("gives back the program that did not fail", async () => {
    const w = tensor([1]);
    const programs: { launches: number; destroy(): void }[] = [];
    const { launcher } = device;
    const prepare = launcher.prepare.bind(launcher);
    vi.spyOn(launcher, "prepare").mockImplementation(async (...all) => {
      const program = await prepare(...all);
      programs.push({ launches: program.launches.length, destroy: vi.spyOn(program, "destroy") as never });
      return program;
    });
    using f = compile((x: Tensor) => [broken(x), mul(sum(w), x)]);
    expect(await errorOf(f(tensor([1])))).toEqual(BROKEN);
    expect(programs.map(({ launches }) => launches)).toEqual([1]);
    expect(programs[0]!.destroy).toHaveBeenCalledOnce();
  });

  it("with its device leaves the function to another one", async () => {
    const other = await openDevice({ quiet: true });
    using f = compile((x: Tensor) => mul(add(x, 1), 2));
    const call = f(tensor([1], { device: other }));
    other.destroy();
    const error = await errorOf(call.then((y) => y.data()));
    expect(error).toBeInstanceOf(Error);
    expect(await values(f(tensor([2])))).toEqual([6]);
  });
});

it("a profile of a device that cannot time is no step", async () => {
  const trained = training();
  using step = compile(trained.step);
  vi.spyOn(device.launcher, "startTiming").mockImplementationOnce(() => {
    throw new Error("no timestamps");
  });
  expect(await errorOf(step.profile(input(7)))).toMatchObject({ message: "no timestamps" });
  expect(trained.steps()).toEqual([0, 0]);
  const losses = [...(await values(step(input(0)))), ...(await values(step(input(1))))];
  const expected = await eagerly(2);
  expectClose(losses, expected.losses);
  expectClose(await trained.state(), expected.state);
});

it("while an observer looks on, calls run op by op, and a profile is refused", async () => {
  using f = compile((x: Tensor) => mul(x, 2));
  const before = observe({ ran() {}, computed() {}, wentBack() {} });
  try {
    expect(await values(f(tensor([3])))).toEqual([6]);
    expect(f.plan).toBeUndefined();
    expect(await errorOf(f.profile(tensor([3])))).toMatchObject({
      message: "compile: an observer looks on, and so nothing is compiled to be timed.",
    });
  } finally {
    observe(before);
  }
});
