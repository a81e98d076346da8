import { expect, test } from "vitest";
import { loseDevice, openPage, withPage } from "../page.ts";
import { chooseCat, chooseSmall, expectAlert, expectAnswer, tryAgain } from "./steps.ts";

withPage();

test("a device that is missing leaves a recorded example, and is found once it is there", async () => {
  const without = `const gpu = Object.getOwnPropertyDescriptor(WorkerNavigator.prototype, "gpu");
    delete WorkerNavigator.prototype.gpu;
    self.bringBack = () => Object.defineProperty(WorkerNavigator.prototype, "gpu", gpu);`;
  const { page } = await openPage({ inWorker: without });
  await expectAlert(page, /no GPU.*no WebGPU.*Update the browser/s);
  await expectAnswer(page, "Egyptian cat");
  expect(await page.locator(".ribbon").textContent()).toMatch(/^Recorded on /);
  await page.workers()[0]!.evaluate("bringBack()");
  await tryAgain(page);
  await page.getByRole("alert").waitFor({ state: "detached" });
  await chooseSmall(page);
  await chooseCat(page);
  await expectAnswer(page, "cat");
});

test("a device that is lost is opened again, and the picture is classified on it", async () => {
  const { page } = await openPage();
  await chooseSmall(page);
  await chooseCat(page); // a net that was chosen already, as on a software adapter, loads with the first picture
  await expectAnswer(page, "cat");
  await loseDevice(page);
  await chooseCat(page);
  await page.getByText("The GPU was lost and reopened").waitFor();
  await tryAgain(page);
  await expectAnswer(page, "cat");
});
