import { beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, readSafetensors, toBytes, writeSafetensors } from "../../src/formats/index.ts";
import { init, type Tensor, tensor } from "../../src/index.ts";
import {
  BatchNorm2d,
  Conv2d,
  Linear,
  loadSafetensors,
  loadStateDict,
  ReLU,
  Sequential,
  stateDict,
  torchStateDict,
} from "../../src/nn/index.ts";

beforeAll(async () => {
  await init();
});

class Net {
  conv1 = new Conv2d(2, 3, [1, 2]);
  bn1 = new BatchNorm2d(3);
  body = new Sequential(new ReLU(), new Sequential(new Linear(3, 4)));
}

const numbers = async (state: ReadonlyMap<string, Tensor>) =>
  Object.fromEntries(await Promise.all([...state].map(async ([name, x]) => [name, [...(await x.data())]])));

const host = (shape: number[], ...values: number[]): HostTensor => ({
  dtype: "f32",
  shape,
  data: Float32Array.from(values),
});

describe("stateDict", () => {
  it("has PyTorch's names", () => {
    expect(
      [...stateDict(new Net())].map(([name, { shape, dtype }]) => `${name} ${dtype} [${shape}]`),
    ).toEqual([
      "conv1.weight f32 [1,2,2,3]",
      "conv1.bias f32 [3]",
      "bn1.weight f32 [3]",
      "bn1.bias f32 [3]",
      "bn1.running_mean f32 [3]",
      "bn1.running_var f32 [3]",
      "bn1.num_batches_tracked i32 []",
      "body.1.0.weight f32 [3,4]",
      "body.1.0.bias f32 [4]",
    ]);
  });

  it("knows a shared tensor once, and stops at cycles", () => {
    const shared = new Linear(2, 2);
    const model: Record<string, unknown> = {
      encoder: shared,
      tied: { weight: shared.weight },
      decoder: shared,
    };
    model.self = model;
    expect([...stateDict(model).keys()]).toEqual(["encoder.weight", "encoder.bias"]);
  });
});

describe("loadStateDict", () => {
  it("copies into the existing tensors", async () => {
    const [from, to] = [new Net(), new Net()];
    const { weight } = to.conv1;
    from.bn1.forward(
      tensor([
        [1, 2, 3],
        [3, 2, 1],
      ]),
    );
    expect(loadStateDict(to, stateDict(from))).toEqual({ missing: [], unexpected: [] });
    expect(to.conv1.weight).toBe(weight);
    expect(await numbers(stateDict(to))).toEqual(await numbers(stateDict(from)));
    loadStateDict(to, stateDict(to));
    expect(await numbers(stateDict(to))).toEqual(await numbers(stateDict(from)));
  });

  it("converts PyTorch's layouts, and back", async () => {
    const model = { conv: new Conv2d(2, 3, [1, 2], { bias: false }), fc: new Linear(2, 3, { bias: false }) };
    const state = new Map([
      ["conv.weight", host([3, 2, 1, 2], ...Array(12).keys())], // [O, C, R, S]
      ["fc.weight", host([3, 2], 0, 1, 2, 3, 4, 5)],
    ]);
    loadStateDict(model, state, { layout: "torch" });
    expect(await numbers(stateDict(model))).toEqual({
      "conv.weight": [0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11], // [R, S, C, O]
      "fc.weight": [0, 2, 4, 1, 3, 5],
    });
    for (const [name, { shape, data }] of torchStateDict(model)) {
      expect(shape).toEqual(state.get(name)!.shape);
      expect(await (data as () => Promise<Float32Array>)()).toEqual(state.get(name)!.data);
    }
  });

  it("takes a shared tensor under either name", async () => {
    const fc = new Linear(1, 1, { bias: false });
    const model = { a: { weight: fc.weight }, b: { weight: fc.weight } };
    loadStateDict(model, new Map([["a.weight", host([1, 1], 5)]]));
    expect(await fc.weight.item()).toBe(5);
    loadStateDict(model, new Map(["a", "b"].map((name) => [`${name}.weight`, host([1, 1], 6)])));
    expect(await fc.weight.item()).toBe(6);
  });

  it("names all that does not fit, and then changes nothing", async () => {
    const net = new Net();
    const before = await numbers(stateDict(net));
    const state = new Map<string, Tensor | HostTensor>(stateDict(new Net()));
    for (const name of ["conv1.bias", "body.1.0.bias"]) state.delete(name);
    state.set("head.weight", host([1], 1));
    state.set("bn1.weight", host([4], 1, 2, 3, 4));
    expect(() => loadStateDict(net, state)).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadStateDict: the state does not fit: 2 missing, 1 unexpected, 1 misshapen.
        missing: body.1.0.bias
        missing: conv1.bias
        unexpected: head.weight
        misshapen: bn1.weight is [4] but has to be [3]]
    `);
    expect(await numbers(stateDict(net))).toEqual(before);
    state.delete("bn1.weight");
    expect(loadStateDict(net, state, { strict: false })).toEqual({
      missing: ["bn1.weight", "body.1.0.bias", "conv1.bias"],
      unexpected: ["head.weight"],
    });
  });

  it("refuses wrong shapes even where it is not strict, in the layout of the state", () => {
    const state = new Map([["weight", host([2, 3], 1, 2, 3, 4, 5, 6)]]);
    const load = () => loadStateDict(new Linear(2, 3), state, { strict: false });
    expect(() =>
      loadStateDict(new Linear(2, 2), state, { layout: "torch" }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadStateDict: the state does not fit: 1 missing, 1 misshapen.
        missing: bias
        misshapen: weight is [2,3] but has to be [2,2]]
    `);
    expect(load).not.toThrow();
    expect(() => loadStateDict(new Linear(3, 2), state, { strict: false })).toThrow("[2,3]");
  });
});

describe("safetensors", () => {
  it("keeps a model, in PyTorch's form", async () => {
    const [from, to] = [new Net(), new Net()];
    from.bn1.forward(
      tensor([
        [1, 2, 3],
        [3, 2, 1],
      ]),
    );
    const file = await toBytes(writeSafetensors(torchStateDict(from)));
    const stored = await readSafetensors(file);
    expect(stored.get("conv1.weight")!.shape).toEqual([3, 2, 1, 2]);
    expect(stored.get("bn1.num_batches_tracked")).toEqual({
      dtype: "i64",
      shape: [],
      data: BigInt64Array.of(1n),
    });
    await loadSafetensors(to, file);
    expect(await numbers(stateDict(to))).toEqual(await numbers(stateDict(from)));
  });

  it("converts half precision, and refuses a file that does not fit", async () => {
    const fc = new Linear(1, 2, { bias: false });
    const half = { dtype: "f16", shape: [2, 1], data: Float32Array.of(0.5, -2) } as const;
    await loadSafetensors(fc, await toBytes(writeSafetensors({ weight: half })));
    expect(await fc.weight.data()).toEqual(Float32Array.of(0.5, -2));
    const other = await toBytes(writeSafetensors({ wait: half }));
    await expect(loadSafetensors(fc, other)).rejects.toThrowErrorMatchingInlineSnapshot(`
      [FormatError: loadSafetensors: the state does not fit: 1 missing, 1 unexpected.
        missing: weight
        unexpected: wait]
    `);
  });
});
