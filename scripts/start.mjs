// npm start: real photographs and real CIFAR-10 images, classified here. npm start -- spirals runs examples/spirals.mjs.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describeAdapter } from "./setup/adapter.mjs";
import { fail, ROOT } from "./setup/install.mjs";
import { run, runOnAdapter, setUp } from "./setup/run.mjs";

const PHOTOGRAPHS = ["examples/photographs/chelsea.png", "examples/photographs/coffee.png"];
const MODELS = "packages/resnet/models";
const PROGRAM = join(ROOT, "packages", "cli", "dist", "run.js");

const [example, ...rest] = process.argv.slice(2);
if (example) {
  const path = `examples/${example}.mjs`;
  if (!existsSync(join(ROOT, path))) fail(`start: there is no ${path}.`);
  await runOnAdapter(path, rest);
}

const adapter = await setUp();
console.log(describeAdapter(adapter));

/**
 * Run a command as a user would, and say which it is.
 *
 * @param {string} what
 * @param {readonly string[]} args
 */
const show = async (what, args) => {
  console.log(`\n$ npx shadegrad ${args.join(" ")}\n`);
  const status = await run(PROGRAM, args, { env: adapter.env });
  if (status === INTERRUPTED) process.exit(status);
  if (status !== 0) console.log(`\nLeft out for this reason: ${what}.`);
  return status === 0;
};

const INTERRUPTED = 130;

const shown = [await show("the photographs", ["classify", ...PHOTOGRAPHS])];

// Nets that this engine has trained.
const models = existsSync(join(ROOT, MODELS)) ? readdirSync(join(ROOT, MODELS)) : [];
// On a CPU the small one: ResNet-20 takes three times as long.
const net = adapter.software ? "resnet8" : "resnet20";
const trained = models.find((name) => name.startsWith(`${net}-`) && name.endsWith(".safetensors"));
if (trained) {
  const images = adapter.embedded ? 100 : adapter.software ? 1000 : 10_000;
  const args = ["--weights", `${MODELS}/${trained}`, "--dataset", "cifar10", "--limit", `${images}`];
  shown.push(await show("CIFAR-10", ["eval", ...args]));
}

console.log(`
Next:
  npx shadegrad classify FILE            what is in a picture of yours
  npx shadegrad train --recipe short     train a net on CIFAR-10, with curves
  npx shadegrad summary resnet50         what a net consists of and costs
  npx shadegrad --help                   the other commands
  npm start -- spirals                   a net learns two spirals
  npm test                               all that is checked`);
process.exit(shown.some(Boolean) ? 0 : 1);
