import { FormatError } from "@shadegrad/tensor";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../src/data/index.ts";

const bytes = (base64: string) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAD0lEQVQImWP4z8DAJXICAAcPAeb4MSt3AAAAAElFTkSuQmCC";
const WEBP = "UklGRiAAAABXRUJQVlA4TBQAAAAvAQAAAA8wFF/4H+T5Dy1UIKL/AQ==";

describe("decodeImage, here and in browsers alike", () => {
  it.each([
    ["PNG", PNG],
    ["WebP", WEBP],
  ])("reads %s from bytes", async (_, picture) => {
    const { width, height, pixels } = await decodeImage(bytes(picture));
    expect([width, height]).toEqual([2, 1]);
    expect([...pixels]).toEqual([255, 0, 0, 10, 20, 200]);
  });

  it("reads a Blob", async () => {
    expect((await decodeImage(new Blob([bytes(PNG)]))).width).toBe(2);
  });

  it("says what is no picture", async () => {
    const damaged = decodeImage(bytes(PNG).subarray(0, 30));
    await expect(damaged).rejects.toThrow(FormatError);
    await expect(damaged).rejects.toThrow(/^decode: the image is no picture that can be read: /);
    await expect(decodeImage(new Uint8Array())).rejects.toThrow("decode: the image is empty.");
  });
});
