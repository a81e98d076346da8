import { expect, it, vi } from "vitest";
import { init, scope, zeros } from "../../src/index.ts";
import { Conv2d } from "../../src/nn/index.ts";

// The kernels of a GPU, on whatever adapter there is, as in gpu-role.node.test.ts.
vi.mock("../../src/gpu/adapter.ts", async (original) => {
  const real = await original<typeof import("../../src/gpu/adapter.ts")>();
  const openAdapter: typeof real.openAdapter = async (options) => {
    const opened = await real.openAdapter(options);
    return { ...opened, adapter: { ...opened.adapter, software: false, rasteriser: undefined } };
  };
  return { ...real, openAdapter };
});

/** Files of the sources on the stack, the innermost first. */
const filesOf = (stack: string): string[] => [
  ...new Set([...stack.matchAll(/packages\/([\w-]+\/src\/[\w./-]+?\.ts)/g)].map(([, file]) => file!)),
];

it("goes from Conv2d.forward to the queue through four files, none of them for rasterisers", async () => {
  const device = await init();
  const paths: string[][] = [];
  const { gpu } = device;
  const createCommandEncoder = gpu.createCommandEncoder.bind(gpu);
  vi.spyOn(gpu, "createCommandEncoder").mockImplementation((descriptor) => {
    paths.push(filesOf(new Error().stack!));
    return createCommandEncoder(descriptor);
  });
  scope(() => {
    const conv = new Conv2d(4, 4, 3);
    const x = zeros([1, 5, 5, 4]);
    device.launcher.flush();
    paths.length = 0;
    conv.forward(x);
  });
  expect(paths).toEqual([
    [
      "kernels-wgsl/src/launch/launcher.ts",
      "tensor/src/core/run.ts",
      "tensor/src/ops/conv2d.ts",
      "tensor/src/nn/conv2d.ts",
    ],
  ]);
});
