import { readFile } from "node:fs/promises";
import { fastNetOf, openCheckpoint } from "@shadegrad/resnet";
import { expect, test } from "vitest";
import { complaints } from "../axe.ts";
import { openPage, withPage } from "../page.ts";
import { button, choose } from "./steps.ts";

withPage();

test("the preset trains some steps against its clock, is stopped, and its net is downloaded", async () => {
  const { page } = await openPage({ at: "?seed=7#/train" });
  await choose(page, "Data", /^Shapes/);
  const card = page.locator(".fast");
  await card.getByText("this software adapter needs hours").waitFor();
  await button(page, "Run it").click();
  await card.getByText(/^Step \d+ of \d+, loss \d\.\d{3}/).waitFor();
  expect(await complaints(page)).toEqual([]);
  expect(await card.locator(".clock").textContent()).not.toBe("0:00.0");
  await button(page, "Stop it").click();
  await card.getByText(/^Stopped after \d+ steps\.$/).waitFor();
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
