import { beforeAll, expect, test } from "vitest";
import { backward, init, tensor } from "../src/index.ts";
import "../src/methods/index.ts";

beforeAll(async () => {
  await init();
});

test("ops are methods, chained, with gradients", async () => {
  const x = tensor(
    [
      [1, -2],
      [3, -4],
    ],
    { requiresGrad: true },
  );
  const y = x.add(1).relu().mul(x).mean();
  expect(await y.data()).toEqual(Float32Array.of(3.5));
  backward(y);
  expect([...(await x.grad!.data())]).toEqual([0.75, 0, 1.75, 0]);
  expect(await x.detach().topK(1).values.data()).toEqual(Float32Array.of(1, 3));
  expect(x.reshape([4]).sum(0, { keepdims: true }).shape).toEqual([1]);
});

test("a method complains as its op", () => {
  expect(() => tensor([1]).reshape([2])).toThrow("reshape: x has 1 elements but the shape holds 2.");
});
