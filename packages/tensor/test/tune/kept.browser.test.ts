import { afterEach, expect, it, vi } from "vitest";
import { keepVariants, keptVariants } from "../../src/gpu/tuned.ts";

const KEY = "shadegrad tuned x";
const A = "conv2d 0000000a f32 1";

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.removeItem(KEY);
});

it("variants are kept in the browser's storage", () => {
  expect(keptVariants("x").size).toBe(0);
  expect(keepVariants("x", new Map([[A, "lanes"]]))).toBe('localStorage, "shadegrad tuned x"');
  expect([...keptVariants("x")]).toEqual([[A, "lanes"]]);
  expect(keptVariants("y").size).toBe(0);
  localStorage.setItem(KEY, "{");
  expect(keptVariants("x").size).toBe(0);
});

it("storage that is full, or that may not be used, is no error", () => {
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  expect(keepVariants("x", new Map([[A, "lanes"]]))).toBeUndefined();
  vi.spyOn(globalThis, "localStorage", "get").mockImplementation(() => {
    throw new DOMException("denied", "SecurityError");
  });
  expect(keptVariants("x").size).toBe(0);
  expect(keepVariants("x", new Map([[A, "lanes"]]))).toBeUndefined();
  vi.restoreAllMocks();
});
