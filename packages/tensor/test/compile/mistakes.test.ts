import { beforeAll, expect, it } from "vitest";
import { backward, compile, init, keep, mul, sum, type Tensor, tensor } from "../../src/index.ts";

beforeAll(() => init({ quiet: true }));

const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => "no error",
    (error: Error) => error.message,
  );

it("an argument that is no tensor", async () => {
  using f = compile((x: Tensor, y: Tensor) => mul(x, y));
  expect(await messageOf(f(tensor([1]), 2 as never))).toMatchInlineSnapshot(
    `"compile: argument 1 is a number, not a tensor. What is the same at each call belongs into the function; what changes, into a tensor."`,
  );
});

it("an async function", async () => {
  using f = compile(async (x: Tensor) => mul(x, 2));
  expect(await messageOf(f(tensor([1])))).toMatchInlineSnapshot(
    `"scope: the function is async, and what it makes later would belong to nobody. Return tensors and read them outside."`,
  );
});

it("numbers that are read in the middle", async () => {
  let reading: Promise<number> | undefined;
  using f = compile((x: Tensor) => {
    reading = sum(x).item();
    return x;
  });
  await f(tensor([1]));
  expect(await messageOf(reading!)).toMatchInlineSnapshot(
    `"a tensor f32 [] has no numbers: it was made while compile recorded a function, which only writes down what to launch. Return it from the function, and read what a call gives."`,
  );
});

it("a gradient that is left behind", async () => {
  const w = keep(tensor([1, 2], { requiresGrad: true }));
  using f = compile((x: Tensor) => {
    const loss = sum(mul(w, x));
    backward(loss);
    return loss;
  });
  expect(await messageOf(f(tensor([3, 4])))).toMatchInlineSnapshot(
    `"compile: the function leaves 1 tensors behind that it does not return, the first of 2 elements: gradients that optimizer.zeroGrad() would clear at its end, or something that was kept."`,
  );
  w.grad = undefined;
});

it("a compiled function in another one", async () => {
  using inner = compile((x: Tensor) => mul(x, 2));
  let nested: Promise<unknown> | undefined;
  using outer = compile((x: Tensor) => {
    nested = inner(x);
    return x;
  });
  await outer(tensor([1]));
  expect(await messageOf(nested!)).toMatchInlineSnapshot(
    `"compile: a compiled function is called while another one is recorded; call the function that it was made from."`,
  );
});

it("a result that is no plain arrangement of tensors", async () => {
  using f = compile((x: Tensor) => new Map([["y", mul(x, 2)]]));
  expect(await messageOf(f(tensor([1])))).toMatchInlineSnapshot(
    `"compile: the function returns an object; return tensors, in arrays or plain objects."`,
  );
});

it("tensors of a recording that are used after it", async () => {
  let escaped: Tensor | undefined;
  using f = compile((x: Tensor) => {
    escaped = mul(x, 2);
    return mul(escaped, 3);
  });
  expect(await (await f(tensor([1]))).item()).toBe(6);
  expect(() => mul(escaped!, 1)).toThrowErrorMatchingInlineSnapshot(
    `[Error: this tensor, Tensor f32 [1], was disposed: by dispose(), or by the end of the scope that made it. Return it from the scope, or keep() it.]`,
  );
});

it("an option that there is not", () => {
  expect(() => compile((x: Tensor) => x, { onprogress() {} } as object)).toThrow(/onprogress.*onProgress/);
});
