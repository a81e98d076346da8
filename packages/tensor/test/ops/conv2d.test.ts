import { type Conv2dParams, conv2dReference } from "@shadegrad/kernels-wgsl/conv2d";
import { beforeAll, describe, expect, it } from "vitest";
import {
  backward,
  type Conv2dOptions,
  conv2d,
  init,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { complaint } from "../complaint.ts";
import { checkGradient, randomValues } from "../gradient.ts";

beforeAll(async () => {
  await init();
});

type Shape4 = [number, number, number, number];

/** The convolution in float64, by its definition. */
function reference(x: Shape4, w: Shape4, y: readonly number[], options: Conv2dOptions) {
  const both = (value: number | readonly number[] = 1) =>
    typeof value === "number" ? [value, value] : value;
  const padding = typeof options.padding === "object" ? options.padding : [0, 0];
  const [padTop, padLeft] = [padding[0]!, padding.length === 4 ? padding[2]! : padding[1]!];
  const [strideRows, strideCols] = both(options.stride) as [number, number];
  const [dilationRows, dilationCols] = both(options.dilation) as [number, number];
  const params: Conv2dParams = {
    ...{ N: x[0], H: x[1], W: x[2], C: x[3], R: w[0], S: w[1], O: w[3], P: y[1]!, Q: y[2]! },
    ...{ strideRows, strideCols, padTop, padLeft, dilationRows, dilationCols, groups: options.groups ?? 1 },
  };
  return (...[image, weights, bias]: Float64Array[]) => {
    const out = conv2dReference(image!, weights!, params);
    return bias ? out.map((value, i) => value + bias[i % w[3]]!) : out;
  };
}

describe("conv2d agrees with its definition and its central differences", () => {
  const cases: [x: Shape4, w: Shape4, y: Shape4, Conv2dOptions][] = [
    [[1, 5, 7, 3], [3, 3, 3, 5], [1, 3, 5, 5], {}],
    [[2, 7, 5, 4], [3, 2, 4, 8], [2, 4, 5, 8], { stride: [2, 1], padding: [1, 2, 0, 1] }],
    [[1, 11, 13, 8], [3, 3, 4, 6], [1, 3, 7, 6], { stride: [3, 2], padding: [1, 2], dilation: 2, groups: 2 }],
    [[1, 3, 3, 5], [1, 1, 5, 7], [1, 2, 2, 7], { stride: 2 }],
  ];
  it.each(cases)("x [%s], w [%s] → [%s] %o", async (x, w, shape, options) => {
    await checkGradient({
      op: (x, w, bias) => {
        const y = conv2d(x!, w!, { ...options, bias });
        expect(y.shape).toEqual(shape);
        return y;
      },
      reference: reference(x, w, shape, options),
      shapes: [x, w, [w[3]]],
    });
  });
});

const ofShapes = (x: number[], w: number[], options?: Conv2dOptions) =>
  scope(() => conv2d(zeros(x), zeros(w), options));

describe("conv2d", () => {
  it('keeps the size of an image with padding "same", for odd and even windows', () => {
    for (const window of [1, 2, 3, 4, 5]) {
      expect(ofShapes([1, 6, 7, 2], [window, window, 2, 3], { padding: "same" }).shape).toEqual([1, 6, 7, 3]);
    }
    expect(ofShapes([1, 6, 7, 2], [3, 2, 2, 3], { padding: "same", dilation: 3 }).shape).toEqual([
      1, 6, 7, 3,
    ]);
    expect(ofShapes([1, 6, 7, 2], [3, 2, 2, 3], { padding: "valid" }).shape).toEqual([1, 4, 6, 3]);
  });

  it("pads an even window by one more at the end, as PyTorch does", async () => {
    const x = [1, 2, 3, 4];
    const w = [1, 10, 100, 1000];
    const across = conv2d(tensor(x, [1, 1, 4, 1]), tensor(w, [1, 4, 1, 1]), { padding: "same" });
    const down = conv2d(tensor(x, [1, 4, 1, 1]), tensor(w, [4, 1, 1, 1]), { padding: "same" });
    for (const y of [across, down]) expect([...(await y.data())]).toEqual([3210, 4321, 432, 43]);
    const dilated = conv2d(tensor(x, [1, 1, 4, 1]), tensor([1, 10], [1, 2, 1, 1]), {
      padding: "same",
      dilation: 3,
    });
    expect([...(await dilated.data())]).toEqual([30, 41, 2, 3]);
  });

  it("of no images has no outputs, and a weight gradient of zeros", async () => {
    const x = tensor([], [0, 5, 5, 2], { requiresGrad: true });
    const w = tensor(randomValues(3 * 3 * 2 * 4), [3, 3, 2, 4], { requiresGrad: true });
    const y = conv2d(x, w, { padding: 1 });
    expect(y.shape).toEqual([0, 5, 5, 4]);
    backward(y, zeros(y.shape));
    expect(x.grad!.shape).toEqual([0, 5, 5, 2]);
    expect([...(await w.grad!.data())]).toEqual(Array(72).fill(0));
  });

  it("gives the image no gradient that nobody asked for", () => {
    const { x, w } = { x: zeros([1, 4, 4, 2]), w: zeros([3, 3, 2, 4], { requiresGrad: true }) };
    const y = conv2d(x, w);
    backward(y, zeros(y.shape));
    expect(x.grad).toBeUndefined();
    expect(w.grad!.shape).toEqual(w.shape);
  });

  it("sums the weight gradient of many pixels in the same order every time", async () => {
    const x = tensor(randomValues(2 * 33 * 35 * 4, 1), [2, 33, 35, 4]);
    const w = zeros([3, 3, 4, 8], { requiresGrad: true });
    const dy = tensor(randomValues(2 * 33 * 35 * 8, 2), [2, 33, 35, 8]);
    const gradient = async () => {
      w.grad = undefined;
      backward(conv2d(x, w, { padding: 1 }), dy);
      return (w.grad as unknown as Tensor).data();
    };
    expect(await gradient()).toEqual(await gradient());
  });

  it("has more outputs than fit into one row of workgroups", async () => {
    const side = 2100; // 2100² / 64 > 65,535
    const x = tensor(randomValues(side * side), [1, side, side, 1]);
    const y = conv2d(x, tensor([2], [1, 1, 1, 1]));
    const [before, after] = [await x.data(), await y.data()];
    expect(after.at(-1)).toBe(2 * before.at(-1)!);
    for (const tensor of [x, y]) tensor.dispose();
  });
});

describe("conv2d says what does not fit", () => {
  const message = (x: number[], w: number[], options?: Conv2dOptions) =>
    complaint(() => ofShapes(x, w, options));

  it("channels", () => {
    expect(message([8, 32, 32, 3], [3, 3, 64, 16])).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x has 3 channels but w expects 64. x is [8,32,32,3] as [N, H, W, C]; w is [3,3,64,16] as [R, S, C, O]."`,
    );
    expect(message([8, 32, 32, 8], [3, 3, 8, 16], { groups: 4 })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x has 8 channels but w expects 32 in 4 groups. x is [8,32,32,8] as [N, H, W, C]; w is [3,3,8,16] as [R, S, C / groups, O]."`,
    );
    expect(message([8, 32, 32, 6], [3, 3, 2, 16], { groups: 3 })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: 6 channels in and 16 out do not divide into 3 groups. x is [8,32,32,6] as [N, H, W, C]; w is [3,3,2,16] as [R, S, C / groups, O]."`,
    );
  });

  it("axes", () => {
    expect(message([32, 32, 3], [3, 3, 3, 16])).toMatchInlineSnapshot(
      `"ShapeError: conv2d: x and w need 4 axes each, not 3 and 4. x is [32,32,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
  });

  it("the window", () => {
    expect(message([1, 4, 9, 3], [7, 7, 3, 16], { padding: 1 })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: a 7×7 window does not fit in a 4×9 image padded by [1,1,1,1]. x is [1,4,9,3] as [N, H, W, C]; w is [7,7,3,16] as [R, S, C, O]."`,
    );
    expect(message([1, 4, 9, 3], [3, 3, 3, 16], { dilation: 2 })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: a 3×3 window, dilated to 5×5, does not fit in a 4×9 image. x is [1,4,9,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
  });

  it("options", () => {
    expect(message([1, 4, 9, 3], [3, 3, 3, 16], { stride: 0 })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: stride is [0,0], not whole numbers ≥ 1 for [rows, columns]. x is [1,4,9,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
    expect(message([1, 4, 9, 3], [3, 3, 3, 16], { padding: [1, -1] })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: padding is [1,-1], not whole numbers ≥ 0 for [rows, columns]. x is [1,4,9,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
    expect(message([1, 4, 9, 3], [3, 3, 3, 16], { stride: 2, padding: "same" })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: padding "same" needs stride 1, not [2,2]. x is [1,4,9,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]."`,
    );
  });

  it("whole numbers", () => {
    const x = tensor(new Int32Array(12), [1, 2, 2, 3]);
    expect(() => conv2d(x, zeros([1, 1, 3, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[ShapeError: conv2d: x is i32; make it floats with cast(…, "f32"). x is [1,2,2,3] as [N, H, W, C]; w is [1,1,3,4] as [R, S, C, O].]`,
    );
  });

  it("the bias", () => {
    expect(message([1, 4, 9, 3], [3, 3, 3, 16], { bias: zeros([3]) })).toMatchInlineSnapshot(
      `"ShapeError: conv2d: bias has 3 elements but w has 16 output channels. x is [1,4,9,3] as [N, H, W, C]; w is [3,3,3,16] as [R, S, C, O]; bias is [3] as [O]."`,
    );
  });
});
