import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ROOT } from "./source.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "shadegrad-npx-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (path: string) => JSON.parse(readFileSync(join(ROOT, path, "package.json"), "utf8"));

test("npx shadegrad in a checkout without node_modules goes to the set-up, and then to the program", () => {
  const { bin } = manifest(".");
  for (const file of ["package.json", bin.shadegrad]) cpSync(join(ROOT, file), join(folder, file));
  // The program takes a package with sources for a checkout.
  mkdirSync(join(folder, dirname(bin.shadegrad), "..", "src"));
  // Stands in for the set-up: installing and building takes a minute.
  const setup = join(folder, "scripts", "setup", "run.mjs");
  mkdirSync(dirname(setup), { recursive: true });
  writeFileSync(
    setup,
    "export const runOnAdapter = (script, args, { cwd }) => console.log(JSON.stringify({ script, args, cwd }));",
  );

  const output = execFileSync("npx", ["shadegrad", "summary", "resnet20"], {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
    env: {
      ...process.env,
      npm_config_cache: join(folder, "npm-cache"),
      npm_config_offline: "true",
      npm_config_audit: "false",
    },
  });
  const program = join(dirname(bin.shadegrad), "..", "dist", "run.js");
  const wanted = { script: join(folder, program), args: ["summary", "resnet20"], cwd: folder };
  expect(JSON.parse(output)).toEqual(wanted);
});

test("the checkout's program is the package's own", () => {
  const path = join("packages", "cli");
  expect(join(manifest(".").bin.shadegrad)).toBe(join(path, manifest(path).bin.shadegrad));
});
