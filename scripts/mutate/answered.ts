import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { afterAll } from "vitest";

// Stryker runs tests in threads. Dawn aborts the process if a thread ends while an error scope of its device has no answer
// yet, and an engine that allocates does not wait for those.
const require = createRequire(new URL("../../packages/tensor/package.json", import.meta.url));
const { globals } = await import(pathToFileURL(require.resolve("webgpu")).href);
const device: GPUDevice = globals.GPUDevice.prototype;
const pop = device.popErrorScope;
const answers = new Set<Promise<unknown>>();
device.popErrorScope = function () {
  const answer = pop.call(this);
  answers.add(answer);
  const forget = () => answers.delete(answer);
  answer.then(forget, forget);
  return answer;
};

afterAll(() => Promise.allSettled(answers));
