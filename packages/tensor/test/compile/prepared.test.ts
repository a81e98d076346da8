import { dense, map } from "@shadegrad/kernels-wgsl/map";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeAdjacent } from "../../src/core/adjacent.ts";
import { choice } from "../../src/core/recorder.ts";
import { run } from "../../src/core/run.ts";
import {
  add,
  assign,
  autocast,
  backward,
  cast,
  compile,
  type Device,
  dropout,
  init,
  manualSeed,
  matmul,
  mul,
  ones,
  openDevice,
  scope,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Adam } from "../../src/optim/index.ts";

let device: Device;
// A device for each test: nothing else takes its memory, and some are destroyed.
beforeEach(async () => {
  device = await init({ quiet: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  device.destroy();
});

const values = async (y: Tensor | Promise<Tensor>) => [...(await (await y).data())];
/** The error of a call that fails. */
const errorOf = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    () => expect.unreachable("the call did not fail"),
    (error) => error,
  );

/** y of x by a shader that does not compile. */
const broken = (x: Tensor): Tensor =>
  run(map, dense(x.size), [x, x, x], { y: x.shape }, { holes: { f: "nonsense" } }).y;

/** Bytes that are in use, once all that was launched is done. */
async function bytesInUse(): Promise<number> {
  await device.synchronize();
  device.trim();
  return device.counts.bytes;
}

/** Let the next plan be ready only when `open` is called. */
function holdNext(): { open(): void } {
  const { launcher } = device;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const prepare = launcher.prepare.bind(launcher);
  const late: typeof prepare = async (...all) => {
    const program = await prepare(...all);
    await opened;
    return program;
  };
  // A plan has two programs.
  vi.spyOn(launcher, "prepare").mockImplementationOnce(late).mockImplementationOnce(late);
  return { open };
}

/** Turns of the event loop in which what is not held gets ready. */
const patience = () => new Promise((resolve) => setTimeout(resolve, 300));

const CHANGED = expect.objectContaining({
  message: expect.stringMatching(
    /^compile: tensors that the function uses .* were changed before it was ready/,
  ),
});
const BROKEN = expect.objectContaining({
  name: "KernelError",
  message: expect.stringMatching(/^map .* does not compile/),
});

/** A training step of two parameters, on whose count of steps each update depends. */
function training() {
  const [w, v] = [tensor([1, -2], { requiresGrad: true }), tensor([3], { requiresGrad: true })] as const;
  const optimizer = new Adam([w, v], { lr: 0.1 });
  const host = { mode: 0, isBroken: false };
  const step = (x: Tensor): Tensor => {
    choice(() => host.mode);
    const loss = sum(mul(mul(w, w), mul(v, x)));
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return host.isBroken ? broken(loss) : loss;
  };
  return {
    ...{ host, optimizer, step },
    /** Move the parameters to other memory, in the order that they do not have there. */
    move() {
      makeAdjacent(w.storage.offset < v.storage.offset ? [v, w] : [w, v]);
    },
    choose() {
      host.mode++;
    },
    change() {
      assign(v, mul(v, 1));
    },
    steps: () => optimizer.groups[0]!.slots.map(({ steps }) => steps),
    state: async () => [...(await values(w)), ...(await values(v))],
  };
}

const input = (call: number) => tensor([1, 1 + call]);

/** Losses and parameters of so many steps, op by op. */
async function eagerly(calls: number): Promise<{ losses: number[]; state: number[] }> {
  const { step, state } = training();
  const losses: number[] = [];
  for (let i = 0; i < calls; i++) losses.push(...(await values(scope(() => step(input(i))))));
  return { losses, state: await state() };
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

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
      if (i === late) held = holdNext();
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
    const held = holdNext();
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
    const before = await bytesInUse();
    const f = compile((x: Tensor) => mul(x, w));
    const call = f(x);
    makeAdjacent([v, w]);
    using y = await call;
    expect(await values(y)).toEqual([20, 30]);
    y.dispose();
    f.dispose();
    expect(await bytesInUse()).toBe(before);
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
    const before = await bytesInUse();
    const failing = errorOf(f(x));
    assign(w, [1]);
    expect(await failing).toEqual(CHANGED);
    f.dispose();
    expect(await bytesInUse()).toBe(before);
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
    const held = holdNext();
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
    const before = await bytesInUse();
    // A constant launch, numbers of the host, and a result that is an argument.
    using f = compile((x: Tensor) => [broken(x), mul(sum(w), x), tensor(new Float32Array(500)), x]);
    expect(await errorOf(f(x))).toEqual(BROKEN);
    expect(await bytesInUse()).toBe(before);
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

describe("dispose while a plan is prepared", () => {
  it("lets the calls that wait run, and gives the memory back after them", async () => {
    const x = ones([1000]);
    const before = await bytesInUse();
    const f = compile((x: Tensor) => mul(sum(mul(x, 2)), x));
    const calls = [f(x), f(x)];
    f.dispose();
    for (const call of calls) {
      using y = await call;
      expect((await values(y))[0]).toBe(2000);
    }
    expect(await bytesInUse()).toBe(before);
    using y = await f(x);
    expect((await values(y))[0]).toBe(2000);
    y.dispose();
    f.dispose();
    expect(await bytesInUse()).toBe(before);
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
    const before = await bytesInUse();
    for (made.mode = 1; made.mode < 4; made.mode++) (await f(x)).dispose();
    expect(made.count).toBe(4);
    expect(await bytesInUse()).toBe(before);
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
