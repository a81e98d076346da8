import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import { runtimeFolder } from "./scripts/setup/adapter.mjs";
import { chromiumLaunchOptions, copiesPictures } from "./scripts/setup/chromium.mjs";
import { denoEnvironment } from "./scripts/setup/deno.mjs";
import { swiftshaderEnvironment } from "./scripts/setup/embedded.mjs";
import { denoPool } from "./scripts/test/deno-pool.mjs";
import { firefox } from "./scripts/test/firefox-provider.mjs";
import { trainedOnSwiftshader } from "./scripts/test/trained.mjs";

const EVERYWHERE = ["{packages/*,bench}/test/**/*.test.ts"];
const NODE_ONLY = ["{packages/*,bench}/test/**/*.node.test.ts", "test/*.node.test.ts"];
const WITHOUT_RESNETS = ["packages/{kernels-wgsl,tensor}/test/**/*.test.ts"];
/** Long, and about what no other WebGPU changes. */
const LONG = ["packages/tensor/test/tune/**", "packages/tensor/test/compile/random-graphs.test.ts"];
const BROWSER_ONLY = ["{packages/*,bench}/test/**/*.browser.test.ts"];

const setup = (name: string) => fileURLToPath(new URL(`scripts/test/${name}.mjs`, import.meta.url));

const swiftshader = {
  // Forks start with this environment, which is when the dynamic linker reads it.
  env: { ...runtimeFolder(), ...swiftshaderEnvironment },
  globalSetup: [setup("swiftshader")],
};
const installed = { env: runtimeFolder(), globalSetup: [] };
/** The adapter that was found, unless the environment asks for the embedded one. */
const wanted = process.env.SHADEGRAD_ADAPTER === "embedded" ? swiftshader : installed;

export default defineConfig({
  cacheDir: ".cache/vite",
  // Packages resolve to their sources, so that tests need no build.
  resolve: { conditions: ["@shadegrad/source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["@shadegrad/source", ...defaultServerConditions] } },
  test: {
    maxWorkers: 2,
    // Variants tuned on this machine would change the last bits of results.
    env: { SHADEGRAD_TUNED: "off" },
    // Software adapters share their cores with everything else that runs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    browser: { enabled: false, connectTimeout: 300_000 }, // of all browsers: only here does vitest look for it
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          include: [...EVERYWHERE, ...NODE_ONLY],
          exclude: BROWSER_ONLY,
          pool: "forks",
          ...wanted,
        },
      },
      {
        extends: true,
        test: {
          // WebGPU by wgpu and naga, as in Firefox.
          name: "deno",
          include: WITHOUT_RESNETS,
          exclude: [...NODE_ONLY, ...BROWSER_ONLY, ...LONG],
          pool: denoPool,
          env: { ...wanted.env, ...denoEnvironment },
          globalSetup: [...wanted.globalSetup, setup("deno")],
        },
      },
      {
        extends: true,
        test: {
          name: "swiftshader",
          include: EVERYWHERE,
          // Three minutes. On Linux, where this project runs, Chromium has this driver too, and runs them.
          exclude: [...NODE_ONLY, ...BROWSER_ONLY, "packages/kernels-wgsl/test/values.test.ts"],
          pool: "forks",
          ...swiftshader,
        },
      },
      {
        extends: true,
        test: {
          name: "browser", // vitest calls the project by its instance's name, below
          include: EVERYWHERE,
          // The excluded take a minute each and more, on the driver that the project before has in Node.
          exclude: [...NODE_ONLY, ...LONG, "packages/resnet/test/{compiled,fine-tuning}.test.ts"],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            commands: { trainedOnSwiftshader, copiesPictures },
            // A getter, so that nobody looks for a browser, or fetches one, who runs another project.
            provider: playwright({
              get launchOptions() {
                return chromiumLaunchOptions();
              },
            }),
            instances: [{ browser: "chromium", name: "chromium" }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: "wgpu in a browser", // by hand: npm run test:firefox
          include: ["packages/tensor/test/**/*.test.ts"],
          exclude: [...NODE_ONLY, ...BROWSER_ONLY],
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: firefox(),
            instances: [{ browser: "firefox", name: "firefox" }],
          },
        },
      },
    ],
  },
});
