import { beforeAll, expect, it } from "vitest";
import { init, interpolate, ones, tensor } from "../../src/index.ts";

beforeAll(async () => {
  await init();
});

it("gives floats between whole numbers, and whole numbers where it picks them", async () => {
  const x = tensor(Int32Array.of(0, 1), [1, 1, 2, 1]);
  const between = interpolate(x, { size: [1, 4], mode: "bilinear" });
  expect(between.dtype).toBe("f32");
  expect(Array.from(await between.data())).toEqual([0, 0.25, 0.75, 1]);
  const picked = interpolate(x, { size: [1, 4] });
  expect(picked.dtype).toBe("i32");
  expect(Array.from(await picked.data())).toEqual([0, 0, 1, 1]);
});

it("takes a typed array of scales", () => {
  const scale = Float32Array.of(2, 3) as never;
  expect(interpolate(ones([1, 2, 2, 1]), { scale }).shape).toEqual([1, 4, 6, 1]);
});
