import { readFile } from "node:fs/promises";
import { fastNetOf, openCheckpoint } from "@shadegrad/resnet";
import type { JSHandle, Locator } from "playwright";
import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { openPage, withPage } from "../page.ts";
import { button, choose } from "./steps.ts";

withPage();

/** For `openPage`'s `inPage`: a clock so slow that no five seconds pass in this test, however slow the machine is. */
function slowClock(): void {
  const now = performance.now.bind(performance);
  performance.now = () => now() / 50;
}

/** Text of the live region and the one that is seen, after each drawing of the card; the list grows. */
const listen = (card: Locator): Promise<JSHandle<[heard: string, seen: string][]>> =>
  card.evaluateHandle((element) => {
    const textOf = (selector: string) => element.querySelector(selector)?.textContent ?? "";
    const drawn: [heard: string, seen: string][] = [];
    const look = () => drawn.push([textOf("[role=status]"), textOf(".status")]);
    const options = { attributes: true, childList: true, characterData: true, subtree: true };
    new MutationObserver(look).observe(element, options);
    return drawn;
  });

test("the preset trains some steps against its clock, is stopped, and its net is downloaded", async () => {
  const { page } = await openPage({ at: "?seed=7#/train", inPage: [slowClock] });
  await choose(page, "Data", /^Shapes/);
  const card = page.locator(".fast");
  const drawn = await listen(card);
  await card.getByText("this software adapter needs hours").waitFor();
  await button(page, "Run it").click();
  await card.locator(".status", { hasText: /^Step \d+ of \d+, loss \d\.\d{3}/ }).waitFor();
  expect(await complaints(page)).toEqual([]);
  await page.waitForFunction(
    (drawn) => new Set(drawn.map(([, seen]) => seen).filter((seen) => seen.startsWith("Step"))).size > 2,
    drawn,
  );
  await card.locator(".clock", { hasNotText: "0:00.0" }).waitFor();
  await button(page, "Stop it").click();
  await card.locator(".status", { hasText: /^Stopped after \d+ steps\.$/ }).waitFor();
  const texts = (await drawn.jsonValue()).map(([heard]) => heard);
  const announced = texts.filter((text, i) => text !== texts[i - 1]).map((text) => text.split(" ")[0]);
  // Two steps of all: the first one, and the one at which the button was pressed.
  expect(announced.slice(-4)).toEqual(["Compiling", "Step", "Step", "Stopped"]);
  expect(await card.getByRole("link", { name: "Link with seed 7" }).getAttribute("href")).toContain(
    "?seed=7#/train",
  );
  const downloading = page.waitForEvent("download");
  await button(page, "Weights").click();
  const download = await downloading;
  expect(download.suggestedFilename()).toBe("fastnet-seed-7.safetensors");
  const file = await openCheckpoint(await readFile(await download.path()));
  expect(fastNetOf(file.metadata)?.classes).toBe(10);
  await file.close();
}, 600_000);
