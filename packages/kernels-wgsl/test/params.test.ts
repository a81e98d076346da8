import { expect, it } from "vitest";
import { cropImages } from "../src/cropImages/index.ts";
import { writeParams } from "../src/launch/kernel.ts";

it("a parameter that is missing is told from one of another type", () => {
  const write = (params: object) => () =>
    writeParams(cropImages, params as never, new DataView(new ArrayBuffer(256)), 0);
  expect(write({})).toThrow(/^cropImages: parameter \w+ is missing$/);
  const texts = new Proxy({}, { get: () => "8" });
  expect(write(texts)).toThrow(/^cropImages: parameter \w+ is 8, a string$/);
});
