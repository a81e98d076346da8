import { matmul } from "@shadegrad/kernels-wgsl/matmul";
import { MATRIX_FEATURES } from "@shadegrad/kernels-wgsl/matrixUnits";
import { beforeAll, expect, it } from "vitest";
import { create } from "webgpu";
import { matrixUnitsOf } from "../../src/gpu/matrices.ts";

const config = { componentType: "f16", resultComponentType: "f32", M: 16, N: 16, K: 16 };
const info = { subgroupMatrixConfigs: [config, { ...config, M: 8 }] } as Partial<GPUAdapterInfo>;

/** Dawn's null backend compiles shaders, matrix units among them. */
let gpu: GPU;
let device: GPUDevice;

beforeAll(async () => {
  gpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await gpu.requestAdapter();
  device = await adapter!.requestDevice({ requiredFeatures: MATRIX_FEATURES as GPUFeatureName[] });
});

it("lists what an adapter's matrix units multiply", async () => {
  const { matrices, matrixUnits } = await matrixUnitsOf(device, info);
  expect(matrices).toEqual(["f16→f32 16×16×16", "f16→f32 8×16×16"]);
  expect(matrixUnits?.variantsOf(matmul)?.variants.length).toBeGreaterThan(0);
});

it("lists nothing where an adapter has none, or a device has not asked for them", async () => {
  expect(await matrixUnitsOf(device, {})).toEqual({});
  const without = await (await gpu.requestAdapter())!.requestDevice();
  expect(await matrixUnitsOf(without, info)).toEqual({});
});

it("lists nothing where the browser's WGSL writes them in its older syntax", async () => {
  const older = {
    features: device.features,
    pushErrorScope: device.pushErrorScope.bind(device),
    popErrorScope: device.popErrorScope.bind(device),
    // The newer one writes an order that the older one does not know.
    createShaderModule: ({ code }: GPUShaderModuleDescriptor) =>
      device.createShaderModule({ code: code.replaceAll("col_major", "column_major") }),
  };
  expect(await matrixUnitsOf(older, info)).toEqual({});
});
