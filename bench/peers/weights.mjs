import { convsOf, NETS } from "./nets.mjs";

/**
 * @typedef {{ shape: number[], data: Float32Array }} Values
 * @typedef {"channels last" | "channels first"} Order of a weight's axes: [R, S, C, O] and [in, out], or [O, C, R, S] and
 * [out, in], as PyTorch and ONNX have it
 */

/**
 * Numbers in [-1, 1) that depend on the name alone.
 *
 * @param {string} name
 * @param {number} length
 */
export function values(name, length) {
  let state = 2166136261;
  for (const letter of name) state = Math.imul(state ^ letter.charCodeAt(0), 16777619);
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/**
 * Weights of a net by name. No batch norm is the identity, so that a peer that leaves one out computes other logits.
 *
 * @param {import("./nets.mjs").Net} net
 * @param {Order} order
 * @returns {Map<string, Values>}
 */
export function weightsOf(net, order) {
  const weights = new Map();
  /** @type {(name: string, shape: number[], middle: number, range: number) => void} */
  const set = (name, shape, middle, range) => {
    const size = shape.reduce((product, side) => product * side, 1);
    weights.set(name, { shape, data: values(name, size).map((value) => middle + range * value) });
  };
  for (const { name, norm, C, O, R } of convsOf(net)) {
    set(`${name}.weight`, [R, R, C, O], 0, Math.sqrt(6 / (R * R * C)));
    set(`${norm}.weight`, [O], 0.8, 0.2);
    set(`${norm}.bias`, [O], 0, 0.2);
    set(`${norm}.running_mean`, [O], 0, 0.2);
    set(`${norm}.running_var`, [O], 1.5, 0.5);
  }
  const { name, inputs, outputs } = net.head;
  set(`${name}.weight`, [inputs, outputs], 0, Math.sqrt(3 / inputs));
  set(`${name}.bias`, [outputs], 0, 0.1);
  if (order === "channels last") return weights;
  return new Map([...weights].map(([name, value]) => [name, channelsFirst(value)]));
}

/**
 * [N, H, W, C] → [N, C, H, W]
 *
 * @param {Values} x
 * @returns {Values}
 */
const imagesFirst = ({ shape: [N, H, W, C], data }) => ({
  shape: [N, C, H, W],
  data: transposed(data, N, H * W, C),
});

/**
 * Weights [R, S, C, O] → [O, C, R, S], [in, out] → [out, in]
 *
 * @param {Values} w
 * @returns {Values}
 */
export function channelsFirst({ shape, data }) {
  const O = shape.at(-1);
  if (shape.length === 2) return { shape: [O, shape[0]], data: transposed(data, 1, shape[0], O) };
  if (shape.length !== 4) return { shape, data };
  const [R, S, C] = shape;
  const outputsFirst = transposed(data, 1, R * S * C, O);
  return { shape: [O, C, R, S], data: transposed(outputsFirst, O, R * S, C) };
}

/**
 * Each of `count` matrices [rows, cols] turned over.
 *
 * @param {Float32Array} x
 * @param {number} count
 * @param {number} rows
 * @param {number} cols
 */
function transposed(x, count, rows, cols) {
  const y = new Float32Array(x.length);
  for (let i = 0, at = 0; i < count; i++) {
    for (let col = 0; col < cols; col++) {
      for (let row = 0; row < rows; row++) y[at++] = x[(i * rows + row) * cols + col];
    }
  }
  return y;
}

/**
 * Inputs of a workload, the same for every engine.
 *
 * @param {import("./workloads.mjs").Workload} workload
 * @param {Order} order
 */
export function inputsOf(workload, order) {
  const first = order === "channels first";
  /** @type {(name: string, shape: number[], scale?: number) => Values} */
  const make = (name, shape, scale = 1) => {
    const size = shape.reduce((product, side) => product * side, 1);
    return { shape, data: values(name, size).map((value) => scale * value) };
  };
  if (workload.kind === "matmul") {
    const shape = [workload.side, workload.side];
    const many = Array.from({ length: workload.repeats }, (_, i) => make(`b${i}`, shape));
    return { x: make("a", shape), weights: new Map(many.map((b, i) => [`b${i}`, b])) };
  }
  if (workload.kind === "conv2d") {
    const { N, C, O, R, side, repeats } = workload;
    const x = make("x", [N, side, side, C]);
    const many = Array.from({ length: repeats }, (_, i) => make(`w${i}`, [R, R, C, O]));
    return {
      x: first ? imagesFirst(x) : x,
      weights: new Map(many.map((w, i) => [`w${i}`, first ? channelsFirst(w) : w])),
    };
  }
  const net = NETS[workload.net]();
  const x = make("images", [workload.batch, ...net.image]);
  const labels = values("labels", workload.batch).map((value) => Math.floor(((value + 1) / 2) * net.classes));
  return {
    ...{ net, weights: weightsOf(net, order), x: first ? imagesFirst(x) : x },
    labels: Int32Array.from(labels),
  };
}

/**
 * [N, C, H, W] → [N, H, W, C]
 *
 * @param {Values} x
 * @returns {Values}
 */
export const imagesLast = ({ shape: [N, C, H, W], data }) => ({
  shape: [N, H, W, C],
  data: transposed(data, N, C, H * W),
});

/**
 * Weights [O, C, R, S] → [R, S, C, O], [out, in] → [in, out]
 *
 * @param {Values} w
 * @returns {Values}
 */
export function channelsLast({ shape, data }) {
  if (shape.length < 2) return { shape, data };
  const [O, C, ...window] = shape;
  const size = window.reduce((product, side) => product * side, 1);
  return { shape: [...window, C, O], data: transposed(transposed(data, O, C, size), 1, O, size * C) };
}
