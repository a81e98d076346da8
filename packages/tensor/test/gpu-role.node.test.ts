import { describe, expect, it, vi } from "vitest";
import { init } from "../src/index.ts";

// Software adapters have variants of their own. Here every op runs on those of a GPU, for values.
vi.mock("../src/gpu/adapter.ts", async (original) => {
  const real = await original<typeof import("../src/gpu/adapter.ts")>();
  const openAdapter: typeof real.openAdapter = async (options) => {
    const opened = await real.openAdapter(options);
    return { ...opened, adapter: { ...opened.adapter, software: false, rasteriser: undefined } };
  };
  return { ...real, openAdapter };
});

it("opens an adapter in the role of a GPU", async () => {
  expect((await init()).adapter).toMatchObject({ software: false, rasteriser: undefined });
});

const suites = import.meta.glob([
  "./ops/*.test.ts",
  "./every-op.test.ts",
  "!./ops/*.node.test.ts",
  "./nn/checkpoint.test.ts",
]);

describe.each(Object.entries(suites))("%s", async (_, load) => {
  await load();
});
