import { resamplePixelsReference } from "@shadegrad/kernels-wgsl/resamplePixels";
import { resampleRowsReference } from "@shadegrad/kernels-wgsl/resampleRows";
import { beforeAll, describe, expect, it } from "vitest";
import { compile, fromPixels, init, type Tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init();
});

/** Pixels of several transparencies, straight. */
const picture = (width: number, height: number) => ({
  width,
  height,
  data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 && i % 3 > 0 ? 255 : (i * 73 + 11) % 256,
  ),
});

const AS_THEY_ARE = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

function expected(
  { data, width: W, height: H }: ReturnType<typeof picture>,
  [toH, toW]: [number, number],
  { top, left, height: P, width: Q } = { top: 0, left: 0, height: toH, width: toW },
  colours = AS_THEY_ARE,
): Float64Array {
  const C = colours.length / 4;
  const across = { W, S: W, to: toW, left, first: 0, R: H, Q, C };
  const words = new Uint32Array(data.buffer);
  const rows = resamplePixelsReference(words, colours, across, false);
  return resampleRowsReference(rows, { H, to: toH, top, first: 0, P, E: Q * C });
}

async function expectNear(y: Tensor, values: Float64Array): Promise<void> {
  const found = await y.data();
  expect(found.length).toBe(values.length);
  const off = Math.max(...values.map((value, i) => Math.abs(value - found[i]!)));
  expect(off).toBeLessThan(1e-3);
}

describe("fromPixels", () => {
  it("gives the pixels over white", async () => {
    const data = Uint8Array.of(10, 20, 30, 255, 200, 100, 0, 0);
    const y = fromPixels({ data, width: 2, height: 1 });
    expect(y.shape).toEqual([1, 1, 2, 3]);
    expect([...(await y.data())]).toEqual([10, 20, 30, 255, 255, 255]);
  });

  it.each([
    ["shrinks", 31, 17, [7, 11]],
    ["shrinks one side far", 3, 501, [16, 3]],
    ["enlarges", 5, 4, [13, 21]],
  ] as const)("%s with antialiasing", async (_, width, height, resize) => {
    const source = picture(width, height);
    await expectNear(fromPixels(source, { resize }), expected(source, [...resize]));
  });

  it("crops the resized picture and mixes its colours", async () => {
    const source = picture(40, 61);
    const crop = { top: 9, left: 2, height: 10, width: 5 };
    const grey = [[0.3], [0.6], [0.1], [-7]];
    const y = fromPixels(source, { resize: [30, 20], crop, colours: grey });
    expect(y.shape).toEqual([1, 10, 5, 1]);
    await expectNear(y, expected(source, [30, 20], crop, grey.flat()));
  });

  it("says what does not fit", () => {
    const source = picture(4, 3);
    const crop = { top: 1, left: 0, height: 3, width: 4 };
    expect(() => fromPixels(source, { crop })).toThrow(
      "fromPixels: the part is not inside the resized picture. The picture is [3,4] as [H, W], resized to [3,4]; the part is [3, 4] from [1, 0] on.",
    );
    expect(() => fromPixels(source, { resize: [0, 4] })).toThrow("sides are not whole numbers ≥ 1");
    expect(() => fromPixels(source, { colours: [[1]] })).toThrow("colours have rows of 1, not four");
    expect(() => fromPixels({ ...source, width: 5 })).toThrow("48 bytes for 5 × 3 pixels of 4 bytes");
    expect(() => fromPixels({ ...source, width: 0 })).toThrow("the picture has 0 × 3 pixels");
  });

  it("is not recorded", async () => {
    const f = compile(() => fromPixels(picture(2, 2)));
    await expect(f()).rejects.toThrow("give it the tensor");
  });
});
