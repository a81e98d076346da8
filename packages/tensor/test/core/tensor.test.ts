import { beforeAll, describe, expect, it } from "vitest";
import { hostTensor, readNpy, toBytes, writeNpy } from "../../src/formats/index.ts";
import {
  arange,
  assign,
  type Device,
  defaultDevice,
  full,
  init,
  linspace,
  ones,
  tensor,
  zeros,
  zerosLike,
} from "../../src/index.ts";

let device: Device;
beforeAll(async () => {
  device = await init();
});

describe("tensor", () => {
  it("takes its shape from the nesting, or from the argument", async () => {
    const nested = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(nested.shape).toEqual([2, 3]);
    expect([...(await nested.data())]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(tensor(new Float32Array(6), [3, 2]).shape).toEqual([3, 2]);
    expect(tensor([1, 2, 3, 4], [2, 2]).shape).toEqual([2, 2]);
    expect(tensor(7).shape).toEqual([]);
    expect(await tensor(7).item()).toBe(7);
  });

  it("takes its type from the array, or from the option", async () => {
    expect(tensor(Int32Array.of(-1)).dtype).toBe("i32");
    expect(tensor(Uint32Array.of(1)).dtype).toBe("u32");
    expect(tensor(Uint8Array.of(255)).dtype).toBe("f32");
    const labels = tensor([3, 1], { dtype: "i32" });
    expect(await labels.data()).toEqual(Int32Array.of(3, 1));
    expect(tensor([3, 1], undefined, { dtype: "i32" }).dtype).toBe("i32");
    const w = tensor([[1, 2]], { requiresGrad: true });
    expect([w.requiresGrad, w.shape]).toEqual([true, [1, 2]]);
    expect(tensor([3, 1], [2, 1], { requiresGrad: true }).shape).toEqual([2, 1]);
    expect(await tensor(Uint32Array.of(2 ** 32 - 1)).item()).toBe(2 ** 32 - 1);
  });

  it("stores float16 where the adapter has it, an odd number of them too", async ({ skip }) => {
    skip(!device.adapter.features.has("shader-f16"), "no shader-f16");
    const half = tensor([1, 0.5, 65504, 2 ** -24, 1 / 3], undefined, { dtype: "f16" });
    expect([...(await half.data())]).toEqual([1, 0.5, 65504, 2 ** -24, 0.333251953125]);
    expect([...(await ones([3], { dtype: "f16" }).data())]).toEqual([1, 1, 1]);
  });

  it("has no element where a side is 0", async () => {
    const none = tensor([], [0, 3]);
    expect(none.size).toBe(0);
    expect(await none.data()).toEqual(new Float32Array(0));
    expect((await zeros([2, 0]).data()).length).toBe(0);
  });

  it("reads what was written, however many reads are under way", async () => {
    const tensors = Array.from({ length: 20 }, (_, i) => full([i + 1], i));
    const all = await Promise.all(tensors.map((each) => each.data()));
    for (const [i, data] of all.entries()) expect([...data]).toEqual(new Array(i + 1).fill(i));
  });

  it("keeps what is still to be read when a freed buffer is written again", async () => {
    const first = tensor([1, 2, 3]);
    const copy = first.data();
    first.dispose();
    const second = tensor([4, 5, 6]);
    expect([...(await copy)]).toEqual([1, 2, 3]);
    expect([...(await second.data())]).toEqual([4, 5, 6]);
  });

  it("gives views of one memory, which lives as long as the last of them", async () => {
    const x = tensor([1, 2, 3, 4]);
    const view = x.view([2, 2]);
    x.dispose();
    expect([...(await view.data())]).toEqual([1, 2, 3, 4]);
    expect(x.isDisposed).toBe(true);
    view.dispose();
    view.dispose();
  });

  it("refuses what it cannot hold", () => {
    expect(() => tensor([1, 2, 3], [2, 2])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: tensor: 3 numbers for 4 elements. The shape is [2,2].]`,
    );
    expect(() => tensor([[1, 2], [3]])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: tensor: the nesting is ragged: 1 elements at depth 1, where the first has 2 elements.]`,
    );
    expect(() => zeros([2, -1])).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: zeros: a side of -1 is not a whole number ≥ 0. The shape is [2,-1].]`,
    );
    expect(() =>
      tensor(Int32Array.of(1), undefined, { requiresGrad: true }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: tensor: i32 has no gradient; requiresGrad needs f32 or f16.]`,
    );
  });

  it("says what is wrong with item() and with a disposed tensor", async () => {
    await expect(zeros([2, 3]).item()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: item: a tensor of 6 elements is not one number. It is [2,3].]`,
    );
    const gone = zeros([2]);
    gone.dispose();
    await expect(gone.data()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: this tensor, Tensor f32 [2], was disposed: by dispose(), or by the end of the scope that made it. Return it from the scope, or keep() it.]`,
    );
  });
});

describe("creation", () => {
  it("fills", async () => {
    expect([...(await zeros([2, 2]).data())]).toEqual([0, 0, 0, 0]);
    expect([...(await ones([3]).data())]).toEqual([1, 1, 1]);
    expect(await full([2], -3, { dtype: "i32" }).data()).toEqual(Int32Array.of(-3, -3));
    expect(zerosLike(full([2], 1, { dtype: "u32" })).dtype).toBe("u32");
  });

  it("counts", async () => {
    expect([...(await arange(4).data())]).toEqual([0, 1, 2, 3]);
    expect([...(await arange(2, 5).data())]).toEqual([2, 3, 4]);
    expect([...(await arange(5, 0, -2).data())]).toEqual([5, 3, 1]);
    expect(await arange(3, { dtype: "i32" }).data()).toEqual(Int32Array.of(0, 1, 2));
    expect([...(await linspace(0, 1, 5).data())]).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect([...(await linspace(3, 7, 1).data())]).toEqual([3]);
    for (const count of [2, 42, 48, 56, 62]) {
      expect((await linspace(0, 1, count).data()).at(-1), `of ${count}`).toBe(1);
    }
    expect(() => arange(0, 5, -1)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: arange: a step of -1 does not lead from 0 to 5.]`,
    );
  });
});

describe("text", () => {
  it("aligns columns and nests brackets", async () => {
    expect(
      await tensor([
        [1, 20],
        [300, 4],
      ]).text(),
    ).toMatchInlineSnapshot(`
      "Tensor f32 [2, 2]
      [[  1,  20],
       [300,   4]]"
    `);
    expect(await tensor([[[0.5, -1]], [[2, 3]]]).text()).toMatchInlineSnapshot(`
      "Tensor f32 [2, 1, 2]
      [[[ 0.5000, -1.0000]],

       [[ 2.0000,  3.0000]]]"
    `);
  });

  it("shows numbers, nothing, and what is no number", async () => {
    expect(await tensor(2.5).text()).toMatchInlineSnapshot(`
      "Tensor f32 []
      2.5000"
    `);
    expect(await zeros([0]).text()).toMatchInlineSnapshot(`
      "Tensor f32 [0]
      []"
    `);
    expect(await tensor([Number.NaN, Number.POSITIVE_INFINITY, 1e-9]).text()).toMatchInlineSnapshot(`
      "Tensor f32 [3]
      [      NaN,       inf, 1.0000e-9]"
    `);
  });

  it("shortens long axes", async () => {
    expect(await arange(2000).text()).toMatchInlineSnapshot(`
      "Tensor f32 [2000]
      [   0,    1,    2, …, 1997, 1998, 1999]"
    `);
    const rows = (await zeros([100, 100]).text()).split("\n");
    expect(rows.length).toBe(8);
  });
});

describe("numbers that files hold", () => {
  const npy = async (dtype: "f16" | "i64", data: Float32Array | BigInt64Array) =>
    readNpy(await toBytes(writeNpy({ dtype, shape: [data.length], data })));

  it("are halves as numbers, not as their bits", async () => {
    const { data } = await npy("f16", Float32Array.of(1, -2.5, 65504));
    for (const part of [data, data.slice(), data.subarray(0)]) {
      expect(await tensor(part as Uint16Array).data()).toEqual(Float32Array.of(1, -2.5, 65504));
    }
    const bfloat = hostTensor("bf16", [1], Uint8Array.of(0x80, 0x3f)).data as Uint16Array;
    expect(await tensor(bfloat).item()).toBe(1);
    const x = zeros([3]);
    assign(x, data as Uint16Array);
    expect(await x.data()).toEqual(Float32Array.of(1, -2.5, 65504));
    expect(await tensor(Uint16Array.of(1, 2)).data()).toEqual(Float32Array.of(1, 2));
  });

  it("are halves in a tensor of halves, where the adapter has them", async ({ skip }) => {
    skip(!defaultDevice().adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const { data } = await npy("f16", Float32Array.of(1, -2.5));
    expect(await tensor(data as Uint16Array, { dtype: "f16" }).data()).toEqual(Float32Array.of(1, -2.5));
  });

  it("are labels of 64 bits", async () => {
    const { data } = await npy("i64", BigInt64Array.of(3n, -1n));
    const labels = tensor(data as BigInt64Array);
    expect(labels.dtype).toBe("i32");
    expect(await labels.data()).toEqual(Int32Array.of(3, -1));
    expect(await tensor(data as BigInt64Array, { dtype: "f32" }).data()).toEqual(Float32Array.of(3, -1));
  });
});

it("integers print with all their digits", async () => {
  expect(await tensor(Int32Array.of(1_000_000, -7)).text()).toBe("Tensor i32 [2]\n[1000000,      -7]");
  expect(await tensor(Uint32Array.of(4_294_967_295)).text()).toBe("Tensor u32 [1]\n[4294967295]");
  expect(await tensor([1e6]).text()).toBe("Tensor f32 [1]\n[1.0000e+6]");
});
