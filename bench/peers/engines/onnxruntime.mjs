import { kernelFile, netFile } from "../onnx.mjs";
import { imagesLast, inputsOf } from "../weights.mjs";

export const title = "ONNX Runtime";
export const kinds = ["infer", "conv2d", "matmul"];

/** @param {import("../workloads.mjs").Workload} workload */
export function prepare(workload) {
  const { net, weights, x } = inputsOf(workload, "channels first");
  if (workload.kind === "infer") return { file: netFile(net, weights, x.shape), x, wanted: "y" };
  if (workload.kind === "matmul")
    return { file: kernelFile("MatMul", x, weights, x.shape), x, wanted: "sample" };
  const { R, O, stride } = workload;
  const [N, , H] = x.shape;
  const result = [N, O, Math.ceil(H / stride), Math.ceil(H / stride)];
  const padding = R >> 1;
  const attributes = {
    ...{ kernel_shape: [R, R], strides: [stride, stride] },
    pads: [padding, padding, padding, padding],
  };
  return { file: kernelFile("Conv", x, weights, result, attributes), x, wanted: "sample" };
}

/** @param {ReturnType<typeof prepare>} given */
export async function start({ file, x, wanted }) {
  const { default: ort } = await import("onnxruntime-node");
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ["webgpu"],
    // A node that WebGPU does not take is an error, not a computation on the CPU.
    extra: { session: { disable_cpu_ep_fallback: "1" } },
  });
  const run = async (name) =>
    (await session.run({ x: new ort.Tensor("float32", x.data, x.shape) }, [name]))[name];
  return {
    call: async () => (await run(wanted)).data,
    async result() {
      if (wanted === "y") return [];
      const { data, dims } = await run("last");
      return [dims.length === 4 ? imagesLast({ shape: dims, data }).data : data];
    },
  };
}
