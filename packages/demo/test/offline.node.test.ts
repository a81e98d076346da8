import { expect, test } from "vitest";
import { chooseCat, chooseSmall, expectAnswer } from "./classify/steps.ts";
import { openPage, withPage } from "./page.ts";

withPage();

test("after one visit every view works without the network, and so does a net that was used", async () => {
  const { page, context } = await openPage({ keeps: true });
  await chooseSmall(page);
  await chooseCat(page);
  await expectAnswer(page, "cat");
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    while (active!.state !== "activated") await new Promise((resolve) => setTimeout(resolve, 50));
  });
  await context.setOffline(true);
  await page.reload();
  for (const [view, title] of [
    ["Teach it", "Teach it your own things"],
    ["Train", "Train a net, and watch it learn"],
    ["Look inside", "What the net sees, layer by layer"],
    ["Benchmark", "How fast the kernels are here"],
    ["Classify", "What is in this picture?"],
  ]) {
    await page.getByRole("navigation").getByRole("link", { name: view!, exact: true }).click();
    await page.getByRole("heading", { level: 1, name: title! }).waitFor();
    expect(await page.getByRole("alert").count(), view).toBe(0);
  }
  await chooseSmall(page);
  await chooseCat(page);
  await expectAnswer(page, "cat");
  await context.setOffline(false);
});

test("the licences of what the page carries are one click away", async () => {
  const { page } = await openPage();
  const address = await page
    .getByRole("link", { name: "Licences" })
    .evaluate((link: HTMLAnchorElement) => link.href);
  const response = await page.request.get(address);
  const text = await response.text();
  for (const name of ["lit-html", "uplot", "unzipit", "instrument-sans", "CIFAR-10", "scikit-image"])
    expect(text).toContain(name);
});
