import type { JSHandle, Page } from "playwright";
import { describe, expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { cover, coverable } from "../background.ts";
import { openPage, PATIENCE, photograph, withPage } from "../page.ts";
import { cameraScripts } from "./camera.ts";
import { answered, choosePicture, chooseSmall, expectAlert, expectAnswer, tryAgain } from "./steps.ts";

withPage();

const turnOn = (page: Page) => page.getByRole("button", { name: "Camera", exact: true }).click();

/** The camera's track, once its first frame is shown. */
async function filming(page: Page): Promise<JSHandle<MediaStreamTrack>> {
  const video = page.getByLabel("What the camera sees");
  await video.waitFor();
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0);
  return video.evaluateHandle((video: HTMLVideoElement) => (video.srcObject as MediaStream).getTracks()[0]!);
}

const stateOf = (track: JSHandle<MediaStreamTrack>) => track.evaluate(({ readyState }) => readyState);

const isLetGoOf = (track: JSHandle<MediaStreamTrack>) =>
  expect.poll(() => stateOf(track), { timeout: PATIENCE }).toBe("ended");

/** State that `watchFrames` leaves in the page. */
interface Frames {
  framesSent: number;
  /** Messages with frames that the worker has not got yet; absent: it gets them at once. */
  framesHeld: (() => void)[] | undefined;
}

/** For `openPage`'s `inPage`: counts the frames that the worker gets, and can hold them. The figures that it answers may be the same each time. */
function watchFrames(): void {
  const frames: Frames = Object.assign(globalThis, { framesSent: 0, framesHeld: undefined });
  const { prototype } = Worker;
  const original = prototype.postMessage;
  prototype.postMessage = function (message, ...more: unknown[]) {
    const post = () => original.apply(this, [message, ...more] as Parameters<typeof original>);
    if (message.call !== "classifyFrame") return post();
    frames.framesSent++;
    if (frames.framesHeld) frames.framesHeld.push(post);
    else post();
  };
}

/** Hold all frames from the next one on; settles when there is one. */
async function holdFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    (globalThis as unknown as Frames).framesHeld = [];
  });
  const held = () => page.evaluate(() => (globalThis as unknown as Frames).framesHeld!.length);
  await expect.poll(held, { timeout: PATIENCE }).toBe(1);
}

const releaseFrames = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const frames = globalThis as unknown as Frames;
    const held = frames.framesHeld!;
    frames.framesHeld = undefined;
    for (const post of held) post();
  });

const framesSent = (page: Page): Promise<number> =>
  page.evaluate(() => (globalThis as unknown as Frames).framesSent);

test("a camera that is allowed is seen, its picture is classified, and it is let go of", async () => {
  const { page } = await openPage({ permissions: ["camera"], inPage: await cameraScripts() });
  await chooseSmall(page);
  await turnOn(page);
  const track = await filming(page);
  expect(await stateOf(track)).toBe("live");
  const { width, height } = await track.evaluate((track) => track.getSettings());
  await page.getByRole("button", { name: "Take the picture" }).click();
  await answered(page);
  await isLetGoOf(track);
  const picture = page.getByAltText("What the camera saw");
  const sides = await picture.evaluate(async (img: HTMLImageElement) => {
    await img.decode(); // may come after the answer
    return [img.naturalWidth, img.naturalHeight];
  });
  expect(sides).toEqual([width, height]);
  expect(await page.locator(".guesses li").count()).toBe(5);
});

test("what the camera sees is classified live, frame after frame, until it is turned off", async () => {
  const { page } = await openPage({
    permissions: ["camera"],
    inPage: [...(await cameraScripts()), watchFrames],
  });
  await chooseSmall(page);
  await turnOn(page);
  const track = await filming(page);
  await page.getByRole("button", { name: "Live", exact: true }).click(); // a software adapter waits for it
  await page.waitForFunction(() => Number(document.querySelector(".live .rate strong")?.textContent) > 0);
  expect(await page.locator(".live .guesses li").count()).toBe(5);
  const sent = await framesSent(page);
  await expect.poll(() => framesSent(page), { timeout: PATIENCE }).toBeGreaterThan(sent + 1);
  await holdFrames(page); // beside ten frames a second, axe takes a minute
  expect(await complaints(page)).toEqual([]);
  await releaseFrames(page);
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  await isLetGoOf(track);
  await page.locator(".live").waitFor({ state: "detached" });
});

test("a camera is let go of when it is turned off, and when nobody sees the page", async () => {
  const { page } = await openPage({
    permissions: ["camera"],
    inPage: [...(await cameraScripts()), coverable],
  });
  await turnOn(page);
  const first = await filming(page);
  await page.getByRole("button", { name: "Turn the camera off" }).click();
  await isLetGoOf(first);
  await turnOn(page);
  const second = await filming(page);
  expect(await stateOf(second)).toBe("live");
  await cover(page, true);
  await isLetGoOf(second);
  await cover(page, false);
  await page.getByRole("button", { name: "Camera", exact: true }).waitFor();
});

test("a camera that is denied is said to be, pictures from files still work, and so does it once allowed", async () => {
  const { page, context } = await openPage({ inPage: await cameraScripts() });
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

describe("a camera that cannot be had says why", () => {
  /** A `getUserMedia` that fails under this name. */
  const failing = (name: string) =>
    `navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("as the test has it", "${name}"));`;
  const remove = `Object.defineProperty(navigator, "mediaDevices", { value: undefined });`;
  const insecure = `Object.defineProperty(globalThis, "isSecureContext", { value: false });`;

  test.each([
    { reason: "an insecure page", script: insecure + remove, says: "needs a secure address", again: false },
    { reason: "no mediaDevices", script: remove, says: "gives pages no camera", again: false },
    {
      reason: "no video capture",
      script: failing("NotSupportedError"),
      says: "does not support cameras",
      again: false,
    },
    { reason: "no camera", script: failing("NotFoundError"), says: "There is no camera", again: true },
    { reason: "a busy camera", script: failing("NotReadableError"), says: "The camera is busy", again: true },
    {
      reason: "the document's policy",
      script: failing("SecurityError"),
      says: "The camera was not allowed",
      again: true,
    },
    { reason: "anything else", script: failing("AbortError"), says: "as the test has it", again: true },
  ])("$reason", async ({ script, says, again }) => {
    const { page } = await openPage({ inPage: [script] });
    await turnOn(page);
    await expectAlert(page, says);
    const tries = page.getByRole("alert").getByRole("button", { name: "Try again" });
    expect(await tries.count()).toBe(again ? 1 : 0);
    await page.getByRole("button", { name: "Camera", exact: true }).waitFor();
  });
});
