import onnxProto from "onnx-proto";
import { forward } from "./nets.mjs";

const { onnx } = onnxProto;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;
const { INT, INTS, FLOAT: REAL } = onnx.AttributeProto.AttributeType;

/** @typedef {import("./weights.mjs").Values} Values */

/** An ONNX graph in the making. A value is its name. */
class Graph {
  nodes = [];
  initializers = [];

  /** @param {string} name @param {Values} values */
  constant(name, { shape, data }) {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.initializers.push({ name, dims: shape, dataType: FLOAT, rawData });
    return name;
  }

  /** @param {string} name @param {number[]} numbers */
  indices(name, numbers) {
    const rawData = new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
    this.initializers.push({ name, dims: [numbers.length], dataType: INT64, rawData });
    return name;
  }

  /**
   * @param {string} opType
   * @param {string[]} input
   * @param {Record<string, number | number[]>} attributes a list, or a whole number; `epsilon` is a real one
   * @param {string} [name] of the output
   */
  node(opType, input, attributes = {}, name = `v${this.nodes.length}`) {
    const attribute = Object.entries(attributes).map(([name, value]) =>
      Array.isArray(value)
        ? { name, type: INTS, ints: value }
        : name === "epsilon"
          ? { name, type: REAL, f: value }
          : { name, type: INT, i: value },
    );
    this.nodes.push({ opType, name, input, output: [name], attribute });
    return name;
  }

  /** @param {Record<string, number[]>} inputs with shapes @param {Record<string, number[]>} outputs */
  bytes(inputs, outputs) {
    const declared = (named) =>
      Object.entries(named).map(([name, shape]) => ({
        name,
        type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
      }));
    const graph = {
      ...{ name: "graph", node: this.nodes, initializer: this.initializers },
      ...{ input: declared(inputs), output: declared(outputs) },
    };
    const model = {
      irVersion: 8,
      producerName: "shadegrad",
      opsetImport: [{ domain: "", version: 15 }],
      graph,
    };
    return onnx.ModelProto.encode(model).finish();
  }
}

/**
 * A net from images [N, C, H, W], `x`, to logits, `y`, in evaluation.
 *
 * @param {import("./nets.mjs").Net} net
 * @param {Map<string, Values>} weights channels first
 * @param {number[]} images
 */
export function netFile(net, weights, images) {
  const graph = new Graph();
  for (const [name, values] of weights) graph.constant(name, values);
  const square = (side) => [side, side];
  const ops = {
    conv: (x, { name, R, stride, padding }) =>
      graph.node("Conv", [x, `${name}.weight`], {
        kernel_shape: square(R),
        strides: square(stride),
        pads: [padding, padding, padding, padding],
      }),
    norm: (x, name) =>
      graph.node(
        "BatchNormalization",
        [x, ...["weight", "bias", "running_mean", "running_var"].map((part) => `${name}.${part}`)],
        { epsilon: 1e-5 },
      ),
    relu: (x) => graph.node("Relu", [x]),
    add: (a, b) => graph.node("Add", [a, b]),
    maxPool: (x) =>
      graph.node("MaxPool", [x], { kernel_shape: square(3), strides: square(2), pads: [1, 1, 1, 1] }),
    pad: () => {
      throw new Error(`onnx: ${net.name} has shortcuts that are padded, which no inference here asks for`);
    },
    mean: (x) => graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], { axis: 1 }),
    linear: (x, name) => graph.node("Gemm", [x, `${name}.weight`, `${name}.bias`], { transB: 1 }, "y"),
  };
  forward(net, ops, "x");
  return graph.bytes({ x: images }, { y: [images[0], net.classes] });
}

/**
 * One node of a kernel per weight, all on the same `x`: `last` is the last result; `sample`, a number of each, is known when
 * all are, and little to read.
 *
 * @param {"Conv" | "MatMul"} opType
 * @param {Values} x
 * @param {Map<string, Values>} weights
 * @param {number[]} result the shape of one result
 * @param {Record<string, number[]>} [attributes]
 */
export function kernelFile(opType, x, weights, result, attributes = {}) {
  const graph = new Graph();
  const rank = result.length;
  const at = (name, number) => graph.indices(name, Array(rank).fill(number));
  const corner = [at("starts", 0), at("ends", 1)];
  const all = [...weights].map(([name, values]) =>
    graph.node(opType, ["x", graph.constant(name, values)], attributes, `y.${name}`),
  );
  const numbers = all.map((y) => graph.node("Slice", [y, ...corner]));
  graph.node("Concat", numbers, { axis: 0 }, "sample");
  const last = graph.node("Identity", [all.at(-1)], {}, "last");
  return graph.bytes({ x: x.shape }, { sample: [weights.size, ...Array(rank - 1).fill(1)], [last]: result });
}
