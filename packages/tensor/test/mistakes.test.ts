import { describe, expect, it } from "vitest";
import {
  add,
  assign,
  backward,
  batchNorm,
  cast,
  concat,
  conv2d,
  crossEntropy,
  full,
  init,
  linear,
  matmul,
  maxPool2d,
  mul,
  ones,
  openDevice,
  permute,
  relu,
  reshape,
  scope,
  slice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.ts";
import { Conv2d, Linear, loadStateDict, parameter, stateDict } from "../src/nn/index.ts";
import { Adam, SGD } from "../src/optim/index.ts";
import { complaint } from "./complaint.ts";

it("a tensor before init()", async () => {
  expect(complaint(() => zeros([2]))).toMatchInlineSnapshot(
    `"DeviceError: there is no device yet: \`await init()\` first."`,
  );
  await init();
});

describe("operands that are no tensors", () => {
  const given = (value: unknown) => value as Tensor;
  it("a number, and the promise of a compiled function", () => {
    expect(complaint(() => relu(given(3)))).toBe("TypeError: relu: x is a number, not a tensor.");
    expect(complaint(() => relu(given(Promise.resolve())))).toBe(
      "TypeError: relu: x is a promise (await it), not a tensor.",
    );
    expect(complaint(() => add(ones([1]), given(Promise.resolve())))).toBe(
      "TypeError: add: b is a promise (await it), not a tensor or a number.",
    );
  });
  it.each([
    ["sum", () => sum(given(undefined))],
    ["softmax", () => softmax(given(null))],
    ["reshape", () => reshape(given([1]), [1])],
    ["slice", () => slice(given("x"), [])],
    ["permute", () => permute(given(1), [0])],
    ["matmul", () => matmul(given(1), ones([1, 1]))],
    ["conv2d", () => conv2d(given(1), ones([1, 1, 1, 1]))],
    ["maxPool2d", () => maxPool2d(given(1), { kernel: 1 })],
    ["crossEntropy", () => crossEntropy(given(1), ones([1]))],
  ] as const)("%s", (op, mistake) => {
    expect(complaint(mistake)).toMatch(new RegExp(`^TypeError: ${op}: \\w+ is .+, not a tensor\\.$`));
  });
});

describe("shapes", () => {
  it("a convolution of an image with channels first", () => {
    expect(complaint(() => conv2d(zeros([8, 3, 32, 32]), zeros([3, 3, 3, 16])))).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x has 32 channels but w expects 3; images are channels last: permute(x, [0, 2, 3, 1]). x is [8,3,32,32] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
  });
  it("a convolution with another layer's weights", () => {
    expect(complaint(() => conv2d(zeros([8, 32, 32, 3]), zeros([3, 3, 64, 16])))).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x has 3 channels but w expects 64. x is [8,32,32,3] as [N, H, W, C]; w is [3,3,64,16] as [R, S, C, O]."`,
    );
  });
  it("an image without its batch axis", () => {
    expect(complaint(() => conv2d(zeros([32, 32, 3]), zeros([3, 3, 3, 16])))).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x and w need 4 axes each, not 3 and 4. x is [32,32,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
  });
  it("a window larger than the image", () => {
    expect(complaint(() => conv2d(zeros([1, 4, 4, 3]), zeros([7, 7, 3, 16])))).toMatchInlineSnapshot(
      `"ShapeError: conv2d: a 7×7 window does not fit in a 4×4 image. x is [1,4,4,3] as [N, H, W, C]; w is [7,7,3,16] as [R, S, C, O]."`,
    );
    expect(complaint(() => maxPool2d(zeros([1, 4, 4, 3]), { kernel: 5 }))).toMatchInlineSnapshot(
      `"ShapeError: maxPool2d: a 5×5 window does not fit in a 4×4 image. x is [1,4,4,3] as [N, H, W, C]."`,
    );
  });
  it("a matrix product of sides that differ", () => {
    expect(complaint(() => matmul(zeros([4, 5]), zeros([6, 7])))).toMatchInlineSnapshot(
      `"ShapeError: matmul: a has 5 columns but b has 6 rows. a is [4,5] as [..., M, K]; b is [6,7] as [..., K, N]."`,
    );
  });
  it("a linear layer on images that were not flattened", () => {
    expect(complaint(() => linear(zeros([8, 7, 7, 64]), zeros([3136, 10])))).toMatchInlineSnapshot(
      `"ShapeError: linear: x has 64 features but w expects 3136. x is [8,7,7,64] as [..., in]; w is [3136,10] as [in, out]."`,
    );
  });
  it("a sum of shapes that do not broadcast", () => {
    expect(complaint(() => add(zeros([8, 10]), zeros([8])))).toMatchInlineSnapshot(
      `"ShapeError: add: a has 10 elements along axis 1 but b has 8 along axis 0. a is [8,10]; b is [8]."`,
    );
  });
  it("a reshape to another number of elements", () => {
    expect(complaint(() => reshape(zeros([4, 6]), [5, -1]))).toMatchInlineSnapshot(
      `"ShapeError: reshape: 24 elements do not divide into groups of 5, to find the side of -1. x is [4,6]; shape is [5,-1]."`,
    );
  });
  it("a concatenation of tensors that differ elsewhere", () => {
    expect(complaint(() => concat([zeros([2, 3]), zeros([2, 4])], 0))).toMatchInlineSnapshot(
      `"ShapeError: concat: xs[0] and xs[1] have to agree in all axes but 0. xs[0] is [2,3]; xs[1] is [2,4]."`,
    );
  });
  it("an axis that is not there", () => {
    expect(complaint(() => sum(zeros([2, 3]), 2))).toMatchInlineSnapshot(
      `"ShapeError: sum: there is no axis 2: x has axes 0 to 1, or -2 to -1. x is [2,3]."`,
    );
    expect(complaint(() => softmax(zeros([2, 3]), -3))).toMatchInlineSnapshot(
      `"ShapeError: softmax: there is no axis -3: x has axes 0 to 1, or -2 to -1. x is [2,3]."`,
    );
  });
  it("a permutation that is none", () => {
    expect(complaint(() => permute(zeros([2, 3, 4]), [0, 1, 1]))).toMatchInlineSnapshot(
      `"ShapeError: permute: axis 1 is given twice, in [0,1,1]. x is [2,3,4]."`,
    );
  });
  it("a slice that never moves", () => {
    expect(complaint(() => slice(zeros([4, 3]), [0, 0], [4, 3], [1, 0]))).toMatchInlineSnapshot(
      `"ShapeError: slice: a step of 0 leads nowhere. x is [4,3]; starts are [0,0], ends [4,3], steps [1,0]."`,
    );
  });
  it("batch norm for another number of channels", () => {
    expect(
      complaint(() => batchNorm(zeros([2, 4, 4, 8]), ones([16]), zeros([16]), { training: true })),
    ).toMatchInlineSnapshot(
      `"ShapeError: batchNorm: x has 8 channels but gamma has 16. x is [2,4,4,8] as [..., C]; gamma is [16]; beta is [16], as [C]."`,
    );
  });
  it("numbers that are not as many as the shape says", () => {
    expect(complaint(() => tensor([1, 2, 3, 4, 5], [2, 3]))).toMatchInlineSnapshot(
      `"ShapeError: tensor: 5 numbers for 6 elements. The shape is [2,3]."`,
    );
  });
});

describe("types", () => {
  it("sides in place of a shape, and options in place of a shape or axes", () => {
    expect(complaint(() => (zeros as (...sides: unknown[]) => unknown)(2, 3))).toMatchInlineSnapshot(
      `"TypeError: zeros: a shape is an array such as [2, 3], not a number."`,
    );
    expect(complaint(() => (tensor as (...given: unknown[]) => unknown)([1], 1))).toMatchInlineSnapshot(
      `"TypeError: tensor: a shape is an array such as [2, 3], not a number."`,
    );
    expect(
      complaint(() => (sum as (...given: unknown[]) => unknown)(tensor([1]), { keepdims: true })),
    ).toMatchInlineSnapshot(
      `"TypeError: sum: axes are a number or an array of numbers, not an object. x is [1]."`,
    );
    expect(
      complaint(() => (reshape as (...given: unknown[]) => unknown)(tensor([1]), 1, 1)),
    ).toMatchInlineSnapshot(
      `"TypeError: reshape: a shape is an array such as [2, 3], not a number. x is [1]."`,
    );
  });

  it("labels that are floats", () => {
    expect(complaint(() => crossEntropy(zeros([4, 10]), tensor([1, 2, 3, 4])))).toMatchInlineSnapshot(
      `"ShapeError: crossEntropy: labels are f32, but classes have to be i32 or u32, such as Int32Array.of(3, 1). logits is [4,10] as [..., C]; labels is [4] as [...]."`,
    );
  });
  it("labels that are one-hot", () => {
    expect(complaint(() => crossEntropy(zeros([4, 10]), zeros([4, 10])))).toMatchInlineSnapshot(
      `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [4,10]. logits is [4,10] as [..., C]; labels is [4,10] as [...]."`,
    );
  });
  it("labels of another batch size", () => {
    expect(complaint(() => crossEntropy(zeros([4, 10]), tensor(Int32Array.of(1, 2))))).toMatchInlineSnapshot(
      `"ShapeError: crossEntropy: logits are for [4] rows but labels are for [2]. logits is [4,10] as [..., C]; labels is [2] as [...]."`,
    );
  });
  it("whole numbers where an op takes floats", () => {
    const whole = tensor(Int32Array.of(1, 2, 3, 4), [1, 2, 2, 1]);
    expect(complaint(() => softmax(whole))).toMatchInlineSnapshot(
      `"ShapeError: softmax: x is i32; make it floats with cast(x, "f32"). x is [1,2,2,1]."`,
    );
    expect(complaint(() => maxPool2d(whole, { kernel: 2 }))).toMatchInlineSnapshot(
      `"ShapeError: maxPool2d: x is i32; make it floats with cast(x, "f32"). x is [1,2,2,1]."`,
    );
    const gamma = tensor(Int32Array.of(1));
    expect(
      complaint(() => batchNorm(zeros([2, 1]), gamma, zeros([1]), { training: true })),
    ).toMatchInlineSnapshot(
      `"ShapeError: batchNorm: gamma is i32 but has to be f32; cast(gamma, "f32") converts. x is [2,1] as [..., C]; gamma is [1]; beta is [1], as [C]."`,
    );
  });
  it("tensors of two devices", async () => {
    const device = await openDevice({ quiet: true });
    const message = complaint(() => add(zeros([2, 3]), zeros([3], { device })));
    expect(message).toMatch(
      /^ShapeError: add: tensors of two devices, .+ opened twice\. a is \[2,3\]; b is \[3\]\.$/,
    );
    device.destroy();
  });
  it("floats times a matrix of whole numbers", () => {
    const whole = tensor(Int32Array.of(1, 2), [2, 1]);
    expect(complaint(() => matmul(zeros([1, 2]), whole))).toMatchInlineSnapshot(
      `"ShapeError: matmul: b is i32; make it floats with cast(b, "f32"). a is [1,2] as [..., M, K]; b is [2,1] as [..., K, N]."`,
    );
  });
});

describe("gradients and memory", () => {
  const leaf = () => tensor([1, 2], undefined, { requiresGrad: true });

  it("a loss of several elements", () => {
    const w = leaf();
    expect(complaint(() => backward(mul(w, w)))).toMatchInlineSnapshot(
      `"ShapeError: backward: a loss has one element, not 2; take its mean or sum, or give dy. It is [2]."`,
    );
  });
  it("going back from whole numbers", () => {
    const w = leaf();
    expect(complaint(() => backward(mul(w, w), tensor(Int32Array.of(1, 1))))).toMatchInlineSnapshot(
      `"ShapeError: backward: dy is i32 but has to be floats; cast(dy, "f32") converts. It is [2]."`,
    );
  });
  it("going back twice", () => {
    const w = leaf();
    const loss = sum(mul(w, w));
    backward(loss);
    expect(complaint(() => backward(loss))).toMatchInlineSnapshot(
      `"ShapeError: backward: the graph through sum was used by an earlier backward, which freed it. Compute the loss again, or add the losses and go back once."`,
    );
  });
  it("a tensor used after its scope", () => {
    let h: Tensor | undefined;
    scope(() => {
      h = ones([2]);
    });
    expect(complaint(() => add(h!, 1))).toMatchInlineSnapshot(
      `"Error: this tensor, Tensor f32 [2], was disposed: by dispose(), or by the end of the scope that made it. Return it from the scope, or keep() it."`,
    );
  });
  it("a step before backward", () => {
    const w = leaf();
    const optimizer = new SGD([w], { lr: 0.1 });
    backward(sum(mul(w, w)));
    const loss = sum(mul(w, w));
    optimizer.step();
    expect(complaint(() => backward(loss))).toMatchInlineSnapshot(
      `"ShapeError: backward: input 0 of mul was changed in place after mul ran (version 1, then 0): call backward before the optimizer's step. It is [2]."`,
    );
  });
});

describe("layers and optimizers", () => {
  it("an optimizer of nothing", () => {
    expect(complaint(() => new SGD([], { lr: 0.1 }))).toMatchInlineSnapshot(
      `"ShapeError: SGD: there is no parameter to move. Give tensors that require a gradient, or a model that has some."`,
    );
  });
  it("an optimizer without a rate", () => {
    expect(complaint(() => new SGD(new Linear(2, 2), { lr: Number.NaN }))).toMatchInlineSnapshot(
      `"RangeError: SGD: lr is NaN, not a number ≥ 0."`,
    );
  });
  it("channels that do not divide into groups", () => {
    expect(complaint(() => new Conv2d(6, 8, 3, { groups: 4 }))).toMatchInlineSnapshot(
      `"RangeError: Conv2d: 6 channels in and 8 out do not divide into 4 groups."`,
    );
  });
  it("a state of another model", () => {
    const state = stateDict({ hidden: new Linear(3, 4), extra: new Linear(1, 1) });
    expect(
      complaint(() => loadStateDict({ hidden: new Linear(2, 4), output: new Linear(4, 2) }, state)),
    ).toMatchInlineSnapshot(`
      "FormatError: loadStateDict: the state does not fit: 2 missing, 2 unexpected, 1 misshapen.
        missing: output.bias
        missing: output.weight
        unexpected: extra.bias
        unexpected: extra.weight
        misshapen: hidden.weight is [3,4] but has to be [2,4]"
    `);
  });
});

describe("arguments of the wrong kind", () => {
  it("a promise of a tensor, as a compiled function gives it", () => {
    const x = Promise.resolve(ones([2])) as never;
    expect(complaint(() => relu(x))).toMatchInlineSnapshot(
      `"TypeError: relu: x is a promise (await it), not a tensor."`,
    );
    expect(complaint(() => add(x, 1))).toMatchInlineSnapshot(
      `"TypeError: add: a is a promise (await it), not a tensor or a number."`,
    );
    for (const op of [sum, softmax, square, (x: never) => matmul(x, x), (x: never) => backward(x)]) {
      expect(complaint(() => op(x))).toMatch(
        /^TypeError: \w+: \w+ is a promise \(await it\), not a tensor\.$/,
      );
    }
    expect(complaint(() => relu(3 as never))).toMatchInlineSnapshot(
      `"TypeError: relu: x is a number, not a tensor."`,
    );
  });

  it("an option that is misspelt", () => {
    const w = parameter(ones([2]));
    const wrong = (options: object) => options as never;
    expect(complaint(() => new SGD([w], wrong({ lr: 1, momentun: 0.9 })))).toMatchInlineSnapshot(
      `"TypeError: SGD: there is no option momentun; did you mean momentum?"`,
    );
    expect(complaint(() => new Adam([w], wrong({ learningRate: 1 })))).toMatchInlineSnapshot(
      `"TypeError: Adam: there is no option learningRate; there are lr, betas, eps, weightDecay."`,
    );
    expect(complaint(() => new Conv2d(1, 1, 3, wrong({ Padding: 1 })))).toMatchInlineSnapshot(
      `"TypeError: Conv2d: there is no option Padding; did you mean padding?"`,
    );
    expect(complaint(() => conv2d(zeros([1, 3, 3, 1]), zeros([3, 3, 1, 1]), wrong({ strides: 2 })))).toMatch(
      "did you mean stride?",
    );
    expect(complaint(() => tensor([1], wrong({ dtyp: "i32" })))).toMatch("did you mean dtype?");
  });

  it("a gradient of another type", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(complaint(() => backward(square(x), ones([2], { dtype: "i32" })))).toMatchInlineSnapshot(
      `"ShapeError: backward: dy is i32 but has to be floats; cast(dy, "f32") converts. It is [2]."`,
    );
  });

  it("a gradient in f32 for a result in f16", async ({ skip }) => {
    const device = await init();
    skip(!device.adapter.features.has("shader-f16"), "the adapter has no shader-f16");
    const y = square(tensor([1, 2], { dtype: "f16", requiresGrad: true }));
    expect(complaint(() => backward(y, ones([2])))).toMatchInlineSnapshot(
      `"ShapeError: backward: dy is f32 but the tensor is f16; cast(dy, "f16") converts. It is [2]."`,
    );
  });

  it("halves where the adapter has none", async () => {
    const device = await openDevice({ quiet: true });
    (device.adapter.features as Set<string>).delete("shader-f16");
    expect(complaint(() => cast(ones([2], { device }), "f16"))).toMatch(
      /^DeviceError: cast: f16 needs the WebGPU feature shader-f16, which .+ does not have here\. Take f32/,
    );
    device.destroy();
  });
});

describe("numbers of the host", () => {
  it("that whole numbers of the type cannot hold", () => {
    expect(complaint(() => tensor([1, 3e9], { dtype: "i32" }))).toMatchInlineSnapshot(
      `"RangeError: tensor: 3000000000 at element 1 is beyond i32, which holds whole numbers from -2147483648 to 2147483647. f32 holds larger ones."`,
    );
    expect(complaint(() => tensor([-1], { dtype: "u32" }))).toMatchInlineSnapshot(
      `"RangeError: tensor: -1 at element 0 is beyond u32, which holds whole numbers from 0 to 4294967295. f32 holds larger ones."`,
    );
    expect(complaint(() => tensor([Number.NaN], { dtype: "i32" }))).toMatchInlineSnapshot(
      `"RangeError: tensor: NaN at element 0 is beyond i32, which holds whole numbers from -2147483648 to 2147483647. f32 holds larger ones."`,
    );
    expect(complaint(() => tensor(BigInt64Array.of(2n ** 40n)))).toMatchInlineSnapshot(
      `"RangeError: tensor: 1099511627776 at element 0 is beyond i32, which holds whole numbers from -2147483648 to 2147483647. f32 holds larger ones."`,
    );
    expect(complaint(() => full([2], 3e9, { dtype: "i32" }))).toMatchInlineSnapshot(
      `"RangeError: full: 3000000000 is beyond i32, which holds whole numbers from -2147483648 to 2147483647. f32 holds larger ones."`,
    );
    expect(complaint(() => assign(tensor([1], { dtype: "i32" }), [3e9]))).toMatch(/^RangeError: assign: /);
    expect(complaint(() => tensor({ shape: [1] } as never))).toMatchInlineSnapshot(
      `"TypeError: tensor: an object where numbers were expected, in an array or a typed array."`,
    );
  });
});
