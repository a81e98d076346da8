import type { JSHandle, Page } from "playwright";
import { expect, test } from "vitest";
import { cover, coverable } from "../background.ts";
import { openPage, photograph, withPage } from "../page.ts";
import { answered, choosePicture, chooseSmall, expectAlert, expectAnswer, tryAgain } from "./steps.ts";

withPage();

const turnOn = (page: Page) => page.getByRole("button", { name: "Camera", exact: true }).click();

/** What films, once its picture is to be seen. */
async function filming(page: Page): Promise<JSHandle<MediaStreamTrack>> {
  const video = page.getByLabel("What the camera sees");
  await video.waitFor();
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0);
  return video.evaluateHandle((video: HTMLVideoElement) => (video.srcObject as MediaStream).getTracks()[0]!);
}

const stateOf = (track: JSHandle<MediaStreamTrack>) => track.evaluate(({ readyState }) => readyState);

test("a camera that is allowed is seen, its picture is classified, and it is let go of", async () => {
  const { page } = await openPage({ permissions: ["camera"] });
  await chooseSmall(page);
  await turnOn(page);
  const track = await filming(page);
  expect(await stateOf(track)).toBe("live");
  const { width, height } = await track.evaluate((track) => track.getSettings());
  await page.getByRole("button", { name: "Take the picture" }).click();
  await answered(page);
  expect(await stateOf(track)).toBe("ended");
  const picture = page.getByAltText("What the camera saw");
  const sides = await picture.evaluate((img: HTMLImageElement) => [img.naturalWidth, img.naturalHeight]);
  expect(sides).toEqual([width, height]);
  expect(await page.locator(".guesses li").count()).toBe(5);
});

test("a camera is let go of when it is turned off, and when nobody sees the page", async () => {
  const { page } = await openPage({ permissions: ["camera"], inPage: coverable });
  await turnOn(page);
  const first = await filming(page);
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  expect(await stateOf(first)).toBe("ended");
  await turnOn(page);
  const second = await filming(page);
  expect(await stateOf(second)).toBe("live");
  await cover(page, true);
  expect(await stateOf(second)).toBe("ended");
  await cover(page, false);
  await page.getByRole("button", { name: "Camera", exact: true }).waitFor();
});

test("a camera that is denied is said to be, pictures from files still work, and so does it once allowed", async () => {
  const { page, context } = await openPage();
  await chooseSmall(page);
  await turnOn(page);
  await expectAlert(page, "The camera was not allowed");
  await choosePicture(page, photograph("chelsea.png"));
  await expectAnswer(page, "cat");
  await turnOn(page);
  await expectAlert(page, "The camera was not allowed");
  await context.grantPermissions(["camera"]);
  await tryAgain(page);
  expect(await stateOf(await filming(page))).toBe("live");
});
