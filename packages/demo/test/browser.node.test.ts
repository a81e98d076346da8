import { expect, test } from "vitest";
import { browserOf } from "../src/app/browser.ts";

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
    "Firefox 153",
    "wgpu, with naga",
  ],
  [`${WINDOWS} Chrome/147.0.0.0 Safari/537.36`, "Chrome 147", "Dawn, with Tint"],
  [`${WINDOWS} Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0`, "Edge 147", "Dawn, with Tint"],
  [`${WINDOWS} HeadlessChrome/147.0.0.0 Safari/537.36`, "Chrome 147", "Dawn, with Tint"],
  [`${MAC} Version/26.0 Safari/605.1.15`, "Safari 26", "WebKit, on Metal"],
  [`${PHONE} Version/26.0 Mobile/15E148 Safari/604.1`, "Safari 26", "WebKit, on Metal"],
  [`${PHONE} CriOS/147.0.0.0 Mobile/15E148 Safari/604.1`, "Chrome for iOS 147", "WebKit, on Metal"],
  [`${PHONE} FxiOS/153.0 Mobile/15E148 Safari/605.1.15`, "Firefox for iOS 153", "WebKit, on Metal"],
  ["something else", "a browser that this page does not know", "not known either"],
])("%s", (userAgent, name, implementation) => {
  expect(browserOf(userAgent)).toMatchObject({ name, implementation });
});

test("what is slower is said where something is", () => {
  expect(browserOf("Gecko/20100101 Firefox/153.0").slower).toContain("100 ms");
  expect(browserOf(`${WINDOWS} Chrome/147.0.0.0 Safari/537.36`).slower).toBeUndefined();
});
