// node scripts/firefox-latency.mjs: a compiled training step and the reading of its loss in the installed Firefox, with
// and without the empty submissions by which the engine has finished work looked for. Medians, in milliseconds.
import { launch } from "puppeteer-core";
import { createServer, defaultClientConditions } from "vite";
import { firefoxLaunchOptions } from "./setup/firefox.mjs";
import { ROOT } from "./setup/install.mjs";

/** A page that has the engine's modules. */
const HTML = `<!doctype html><script type="module">
  import * as engine from "/packages/tensor/src/index.ts";
  import { Linear } from "/packages/tensor/src/nn/index.ts";
  import { SGD } from "/packages/tensor/src/optim/index.ts";
  globalThis.engine = { ...engine, Linear, SGD };
</script>`;

const server = await createServer({
  root: ROOT,
  configFile: false,
  logLevel: "error",
  appType: "custom",
  plugins: [
    {
      name: "page",
      configureServer: ({ middlewares }) => {
        middlewares.use((request, response, next) => {
          if (request.url !== "/") return next();
          response.setHeader("Content-Type", "text/html");
          response.end(HTML);
        });
      },
    },
  ],
  resolve: { conditions: ["@shadegrad/source", ...defaultClientConditions] },
  server: { port: 0, host: "127.0.0.1" },
});
await server.listen();
const browser = await launch(firefoxLaunchOptions());
try {
  const page = await browser.newPage();
  await page.goto(server.resolvedUrls?.local[0] ?? "", { timeout: 0 });
  page.on("pageerror", (error) => console.error(error));
  await page.waitForFunction("globalThis.engine", { timeout: 120_000 });
  console.log(await browser.version());
  for (const [name, ignored] of /** @type {const} */ ([
    ["waiting alone", true],
    ["with empty submissions", false],
  ])) {
    const times = await page.evaluate(measure, ignored);
    const median = times.sort((a, b) => a - b)[times.length >> 1];
    console.log(`${name}: ${median?.toFixed(1)} ms, the median of ${times.length} steps`);
  }
} finally {
  await browser.close();
  await server.close();
}

/**
 * Milliseconds of each step, in the page.
 *
 * @param {boolean} ignored true: empty submissions do not reach the queue
 * @returns {Promise<number[]>}
 */
async function measure(ignored) {
  const { backward, compile, crossEntropy, init, Linear, SGD, tensor } = /** @type {any} */ (globalThis)
    .engine;
  const { gpu } = await init({ quiet: true });
  const submit = GPUQueue.prototype.submit;
  GPUQueue.prototype.submit = function (/** @type {Iterable<GPUCommandBuffer>} */ commands) {
    return ignored && [...commands].length === 0 ? undefined : submit.call(this, commands);
  };
  const layer = new Linear(64, 10);
  const optimizer = new SGD(layer, { lr: 0.1 });
  const step = compile((/** @type {unknown} */ x, /** @type {unknown} */ labels) => {
    const loss = crossEntropy(layer.forward(x), labels);
    backward(loss);
    optimizer.step();
    optimizer.zeroGrad();
    return loss;
  });
  const x = tensor(
    Float32Array.from({ length: 8 * 64 }, (_, i) => Math.sin(i)),
    [8, 64],
  );
  const labels = tensor(Int32Array.from({ length: 8 }, (_, i) => i));
  const times = [];
  for (let i = 0; i < 60; i++) {
    const start = performance.now();
    const loss = await step(x, labels);
    await loss.item();
    loss.dispose();
    if (i >= 10) times.push(performance.now() - start);
  }
  step.dispose();
  GPUQueue.prototype.submit = submit;
  await gpu.queue.onSubmittedWorkDone();
  return times;
}
