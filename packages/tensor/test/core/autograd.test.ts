import { sgd } from "@shadegrad/kernels-wgsl/sgd";
import { beforeAll, describe, expect, it } from "vitest";
import { differentiable } from "../../src/core/autograd.ts";
import { run } from "../../src/core/run.ts";
import {
  add,
  backward,
  defaultDevice,
  dropout,
  exp,
  gather,
  grad,
  init,
  mul,
  noGrad,
  ShapeError,
  scope,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from "../../src/index.ts";
import { optimizerLike } from "./in-place.ts";

beforeAll(async () => {
  await init();
});

const leaf = (...values: number[]): Tensor => tensor(values, undefined, { requiresGrad: true });
const numbers = async (x: Tensor | undefined) => [...(await x!.data())];

describe("backward", () => {
  it("adds up the ways through which a leaf is used", async () => {
    const x = leaf(2, 3);
    const y = mul(x, x);
    backward(sum(add(mul(y, x), y)));
    expect(await numbers(x.grad)).toEqual([16, 33]); // 3x² + 2x
  });

  it("accumulates from call to call", async () => {
    const x = leaf(2);
    backward(sum(mul(x, x)));
    backward(sum(mul(x, 5)));
    expect(await numbers(x.grad)).toEqual([9]);
  });

  it("takes an upstream gradient for a tensor of several elements", async () => {
    const x = leaf(1, 2);
    backward(mul(x, x), tensor([10, 100]));
    expect(await numbers(x.grad)).toEqual([20, 400]);
  });

  it("computes no gradient that nobody needs", () => {
    const [x, w] = [tensor([1, 2]), leaf(3, 4)];
    const asked: string[] = [];
    const ask = (name: string, dy: Tensor) => {
      asked.push(name);
      return dy;
    };
    const y = differentiable("probe", x.view(), [x, w], (dy) => [() => ask("x", dy), () => ask("w", dy)]);
    backward(sum(y));
    expect(asked).toEqual(["w"]);
  });

  it("goes through chains deeper than the call stack", async () => {
    const x = leaf(1);
    let y = x;
    for (let i = 0; i < 20_000; i++) y = differentiable("same", y.view(), [y], (dy) => [() => dy]);
    backward(sum(y));
    expect(await numbers(x.grad)).toEqual([1]);
  });

  it("stores the gradient of a tensor in the middle on request", async () => {
    const x = leaf(2);
    const y = mul(x, x);
    y.retainsGrad = true;
    backward(sum(mul(y, y)));
    expect(await numbers(y.grad)).toEqual([8]);
    expect(await numbers(x.grad)).toEqual([32]);
  });

  it("gives each leaf a gradient in memory of its own, which may be changed in place", async () => {
    const [a, b] = [leaf(1, 2), leaf(3, 4)];
    const dy = tensor([5, 6]);
    backward(add(a, b), dy);
    optimizerLike(a.grad!);
    expect(await numbers(a.grad)).not.toEqual([5, 6]);
    expect(await numbers(b.grad)).toEqual([5, 6]);
    expect(await numbers(dy)).toEqual([5, 6]);
  });

  it("records nothing under noGrad, nor behind detach", () => {
    const x = leaf(1);
    expect(noGrad(() => mul(x, x)).requiresGrad).toBe(false);
    expect(mul(x.detach(), 2).requiresGrad).toBe(false);
    expect(mul(x, x).requiresGrad).toBe(true);
    expect(() => noGrad(async () => mul(x, x))).toThrow("noGrad: the function is async");
    expect(mul(x, x).requiresGrad).toBe(true);
  });

  it("says what is wrong", () => {
    const x = leaf(1, 2);
    expect(() => backward(mul(x, x))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: a loss has one element, not 2; take its mean or sum, or give dy. It is [2].]`,
    );
    expect(() => backward(mul(x, x), tensor([1]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: dy is [1] but the tensor is [2].]`,
    );
    expect(() => backward(tensor(1))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: this tensor does not depend on anything that requires a gradient. Set requiresGrad on the leaves, and make it outside noGrad.]`,
    );
  });

  it("says so when the graph was used before", () => {
    const x = leaf(1, 2);
    const shared = exp(x);
    const loss = sum(shared);
    backward(loss);
    expect(() => backward(loss)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: the graph through sum was used by an earlier backward, which freed it. Compute the loss again, or add the losses and go back once.]`,
    );
    expect(() => backward(sum(shared))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: the graph through exp was used by an earlier backward, which freed it. Compute the loss again, or add the losses and go back once.]`,
    );
  });

  it("says so when a weight was changed between forward and backward", () => {
    const w = leaf(1, 2);
    const loss = sum(mul(w, w));
    optimizerLike(w);
    const y = exp(w);
    const other = sum(y);
    optimizerLike(y);
    expect(() => backward(other)).toThrow("input 0 of sum was changed");
    optimizerLike(y);
    expect(() => backward(sum(y))).toThrow("the result of exp was changed in place");
    expect(() => backward(loss)).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: backward: input 0 of mul was changed in place after mul ran (version 1, then 0): call backward before the optimizer's step. It is [2].]`,
    );
  });
});

it("a launch that is refused changes nothing and allocates nothing", async () => {
  const w = leaf(2, 3);
  const loss = sum(mul(w, w));
  const dw = tensor(Int32Array.of(1, 1));
  const { bytes, freeBytes } = defaultDevice().counts;
  expect(() => run(sgd, { length: 2, lr: 1, weightDecay: 0 }, [dw, dw], { w })).toThrow(ShapeError);
  expect(() => dropout(dw, 0.5)).toThrow(ShapeError);
  expect(defaultDevice().counts).toMatchObject({ bytes, freeBytes });
  backward(loss);
  expect(await numbers(w.grad)).toEqual([4, 6]);
});

describe("grad", () => {
  it("is JAX's: with respect to the first argument, which need not ask for it, or those that argnums names", async () => {
    const loss = (w: Tensor, x: Tensor) => sum(mul(mul(w, w), x));
    const args = [tensor([1, 2]), tensor([3, 4])] as const;
    expect(await numbers(grad(loss)(...args))).toEqual([6, 16]);
    expect(await numbers(grad(loss, 1)(...args))).toEqual([1, 4]);
    const [dx, dw] = grad(loss, [1, 0])(...args);
    expect(await numbers(dw)).toEqual([6, 16]);
    expect(await numbers(dx)).toEqual([1, 4]);
    const [value, first] = valueAndGrad(loss)(...args);
    expect([await value.item(), await numbers(first)]).toEqual([19, [6, 16]]);
    const [, [only]] = valueAndGrad(loss, [1])(...args);
    expect(await numbers(only)).toEqual([1, 4]);
  });

  it("leaves alone the arguments that it was not asked about, and owns nothing itself", async () => {
    const x = tensor([3, 4]);
    x.requiresGrad = true;
    let dw: Tensor | undefined;
    scope(() => {
      dw = grad((w: Tensor, x: Tensor) => sum(mul(w, x)))(tensor([1, 2]), x);
    });
    expect(x.grad).toBeUndefined();
    expect(dw!.isDisposed).toBe(true);
  });

  it("takes arguments of whole numbers, and returns the argument itself as a loss", async () => {
    const [dx, di] = grad((x: Tensor, i: Tensor) => sum(gather(x, i)), [0, 1])(
      tensor([2, 3]),
      tensor(Int32Array.of(1)),
    );
    expect(await numbers(dx)).toEqual([0, 1]);
    expect(await numbers(di)).toEqual([0]);
    const [loss, one] = valueAndGrad((x: Tensor) => x)(tensor(7));
    expect([await loss.item(), await one.item()]).toEqual([7, 1]);
  });

  it("gives zeros for an argument that the loss ignores", async () => {
    const [, dx] = grad((w: Tensor, _x: Tensor) => sum(w), [0, 1])(tensor([1, 2]), tensor([3, 4, 5]));
    expect(await numbers(dx)).toEqual([0, 0, 0]);
  });

  it("says which argument is missing", () => {
    expect(() => grad((x: Tensor) => sum(x), 1)(tensor([1]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: grad: argnums asks for argument 1 of 1; they count from 0.]`,
    );
  });
});
