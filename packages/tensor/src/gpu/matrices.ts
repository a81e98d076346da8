import type { Adapter } from "@shadegrad/kernels-wgsl";

/** A product that matrix units offer; no types of WebGPU have this experimental feature yet. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Matrix units of a device: products that they offer, and the variants of kernels that compute on them. */
export type MatrixUnits = Pick<Adapter, "matrices" | "matrixUnits">;

/**
 * Matrix units of a device; none where the browser's WGSL writes them otherwise: before mid-2026 the order of a matrix was a
 * boolean argument, and matrices were loaded from scalars only.
 */
export async function matrixUnitsOf(
  gpu: Pick<GPUDevice, "features" | "pushErrorScope" | "popErrorScope" | "createShaderModule">,
  info: Partial<GPUAdapterInfo>,
): Promise<MatrixUnits> {
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  const configs = [...subgroupMatrixConfigs];
  if (configs.length === 0) return {};
  // No page without them downloads it.
  const { matrixUnits, matrixProbe, matrixKind, MATRIX_FEATURES } = await import(
    "@shadegrad/kernels-wgsl/matrixUnits"
  );
  if (!MATRIX_FEATURES.every((feature) => gpu.features.has(feature))) return {};
  gpu.pushErrorScope("validation");
  gpu.createShaderModule({ label: "matrix units", code: matrixProbe });
  if (await gpu.popErrorScope()) return {};
  const matrices = configs.map(({ componentType, resultComponentType, M, N, K }) =>
    matrixKind(componentType, resultComponentType, M, N, K),
  );
  return { matrices, matrixUnits };
}
