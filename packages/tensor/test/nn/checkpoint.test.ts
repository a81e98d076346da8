import { beforeAll, expect, it } from "vitest";
import {
  backward,
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

it("adds to gradients that are there", async () => {
  const model = net(true, 1);
  const [w] = parameters(model) as [Tensor];
  for (let i = 0; i < 2; i++) scope(() => backward(sum(square(model.forward(image())))));
  const both = await w.grad!.data();
  expect(both.some((value) => value !== 0)).toBe(true);
});

it("needs less memory", async () => {
  const bytes = async (model: Sequential) => {
    const optimizer = new SGD(model, { lr: 0.1 });
    const step = compile((x: Tensor) => {
      const loss = sum(square(model.forward(x)));
      backward(loss);
      optimizer.step();
      optimizer.zeroGrad();
      return loss;
    });
    await step(tensor(new Float32Array(16 * 16 * 16 * 4), [16, 16, 16, 4], { device }));
    return step.plan!.bytes;
  };
  expect(await bytes(net(true, 6))).toBeLessThan(0.6 * (await bytes(net(false, 6))));
});
