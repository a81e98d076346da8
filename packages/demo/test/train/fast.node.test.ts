import { readFile } from "node:fs/promises";
import { fastNetOf, openCheckpoint } from "@shadegrad/resnet";
import type { Locator } from "playwright";
import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { openPage, withPage } from "../page.ts";
import { button, choose } from "./steps.ts";

withPage();

/** Texts of a live region, with the times at which they came, by `performance.now()`. */
async function listen(region: Locator): Promise<() => Promise<{ text: string; at: number }[]>> {
  const heard = await region.evaluateHandle((element) => {
    const heard: { text: string; at: number }[] = [];
    const options = { childList: true, characterData: true, subtree: true };
    new MutationObserver(() =>
      heard.push({ text: element.textContent ?? "", at: performance.now() }),
    ).observe(element, options);
    return heard;
  });
  return () => heard.jsonValue();
}

test("the preset trains some steps against its clock, is stopped, and its net is downloaded", async () => {
  const { page } = await openPage({ at: "?seed=7#/train" });
  await choose(page, "Data", /^Shapes/);
  const card = page.locator(".fast");
  const heard = await listen(card.getByRole("status"));
  await card.getByText("this software adapter needs hours").waitFor();
  await button(page, "Run it").click();
  await card.locator(".status", { hasText: /^Step ([4-9]|\d\d+) of \d+, loss \d\.\d{3}/ }).waitFor();
  expect(await complaints(page)).toEqual([]);
  expect(await card.locator(".clock").textContent()).not.toBe("0:00.0");
  await button(page, "Stop it").click();
  await card.locator(".status", { hasText: /^Stopped after \d+ steps\.$/ }).waitFor();
  const announced = (await heard()).map(({ text, at }) => ({ kind: text.split(" ")[0], at }));
  expect(announced.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["Compiling", "Step", "Stopped"]));
  const steps = announced.filter(({ kind }) => kind === "Step").slice(0, -1); // the last, because of the button
  // A text is heard some time after it was announced, but before the next one is: between this one and the one before the
  // last, five seconds have passed for certain.
  for (const [i, { at }] of steps.entries()) {
    if (i > 1) expect(at - steps[i - 2]!.at).toBeGreaterThanOrEqual(5000);
  }
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
