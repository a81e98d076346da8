import { beforeAll, expect, it } from "vitest";
import {
  autocast,
  backward,
  cast,
  compile,
  type Device,
  init,
  manualSeed,
  scope,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  BatchNorm2d,
  Conv2d,
  checkpoint,
  Dropout,
  evaluate,
  parameters,
  ReLU,
  Sequential,
  stateDict,
  zeroGrad,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init({ quiet: true });
});

/** Blocks of a convolution, batch norm, dropout; each checkpointed or none. */
function net(isCheckpointed: boolean, blocks = 2): Sequential {
  manualSeed(5);
  const wrap = isCheckpointed ? checkpoint : <T>(block: T) => block;
  const made = Array.from({ length: blocks }, () =>
    wrap(
      new Sequential(new Conv2d(4, 4, 3, { padding: 1 }), new BatchNorm2d(4), new ReLU(), new Dropout(0.3)),
    ),
  );
  return new Sequential(...made);
}

const image = () =>
  tensor(
    Float32Array.from({ length: 2 * 5 * 6 * 4 }, (_, i) => Math.sin(i)),
    [2, 5, 6, 4],
  );

/** Loss, gradients and state after a pass forward and back. */
async function passed(model: Sequential, isCompiled = false) {
  const x = image();
  const forward = (x: Tensor) => {
    const loss = sum(square(model.forward(x)));
    backward(loss);
    const gradients = parameters(model).map(({ grad }) => grad!.view());
    zeroGrad(model);
    return [loss, ...gradients];
  };
  const results = isCompiled ? await compile(forward)(x) : scope(() => forward(x));
  return Promise.all([...results, ...stateDict(model).values()].map(async (y) => [...(await y.data())]));
}

it("gives the same bits, with dropout, and moves running statistics once", async () => {
  expect(await passed(net(true))).toEqual(await passed(net(false)));
});

it("gives the same when compiled", async () => {
  expect(await passed(net(true), true)).toEqual(await passed(net(false), true));
});

it("keeps the names of the block's tensors", () => {
  expect([...stateDict(net(true)).keys()]).toEqual([...stateDict(net(false)).keys()]);
});

it("adds to existing gradients", async () => {
  const model = net(true, 1);
  evaluate(model); // the same each time
  const [w] = parameters(model) as [Tensor];
  const pass = () => scope(() => backward(sum(square(model.forward(image())))));
  pass();
  const once = await w.grad!.data();
  pass();
  const both = await w.grad!.data();
  expect(once.some((value) => value !== 0)).toBe(true);
  expect([...both]).toEqual(Array.from(once, (value) => 2 * value));
});

it("leaves parameters that nothing depends on without a gradient", () => {
  const block = checkpoint({
    used: new Conv2d(4, 4, 1),
    unused: new Conv2d(4, 4, 1),
    forward(x: Tensor): Tensor {
      return this.used.forward(x);
    },
  });
  scope(() => backward(sum(block.forward(image()))));
  expect(block.used.weight.grad).toBeDefined();
  expect(block.unused.weight.grad).toBeUndefined();
});

it("computes in the precision of the first pass again", async ({ skip }) => {
  skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
  const gradient = async (isCheckpointed: boolean) => {
    const model = net(isCheckpointed, 1);
    evaluate(model);
    scope(() => {
      const loss = autocast("f16", () => sum(cast(model.forward(image()), "f32")));
      backward(loss);
    });
    return [...(await parameters(model)[0]!.grad!.data())];
  };
  expect(await gradient(true)).toEqual(await gradient(false));
});

it("needs less memory op by op", async () => {
  // A device of its own, where the collector finds nothing of other tests to free meanwhile.
  device = await init({ quiet: true });
  const bytes = async (model: Sequential) => {
    const x = tensor(new Float32Array(8 * 32 * 32 * 4), [8, 32, 32, 4], { device });
    const pass = () => {
      scope(() => backward(sum(square(model.forward(x)))));
      zeroGrad(model);
    };
    pass(); // kernels take memory of their own, once
    await device.synchronize();
    device.trim();
    const before = device.counts.bytes;
    pass();
    const { bytes } = device.counts; // buffers that became free are in it, and so it is the most that there were
    x.dispose();
    return bytes - before;
  };
  expect(await bytes(net(true, 8))).toBeLessThan(0.6 * (await bytes(net(false, 8))));
});

it("needs less memory compiled", async () => {
  const bytes = async (model: Sequential) => {
    const optimizer = new SGD(model, { lr: 0.1 });
    const step = compile((x: Tensor) => {
      const loss = sum(square(model.forward(x)));
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    });
    await step(tensor(new Float32Array(16 * 32 * 32 * 4), [16, 32, 32, 4], { device }));
    return step.plan!.bytes;
  };
  expect(await bytes(net(true, 6))).toBeLessThan(0.6 * (await bytes(net(false, 6))));
});
