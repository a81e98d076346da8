import { conv2d, conv2dInputGrad, conv2dWeightGrad, weightGradSplits } from "@shadegrad/kernels-wgsl/conv2d";
import { matmul } from "@shadegrad/kernels-wgsl/matmul";
import { candidatesOf, operandsOf } from "./candidates.mjs";
import { Memory } from "./memory.mjs";
import { convolutionsOf, product } from "./shapes.mjs";

/**
 * @typedef {import("@shadegrad/tensor").Device} Device
 * @typedef {import("./candidates.mjs").Candidate} Candidate
 *
 * @typedef {object} Workload what is computed, in one of several ways
 * @property {string} name
 * @property {number} count how often the net does it
 * @property {any} kernel
 * @property {any} params
 * @property {number} flops
 * @property {Record<string, number>} lengths of its buffers, in elements
 * @property {object} options of `candidatesOf`
 *
 * @typedef {object} KernelResult
 * @property {string} set
 * @property {string} name
 * @property {number} count
 * @property {number} flops
 * @property {{ name: string, chosen: boolean, microseconds: number, error: number }[]} times the fastest first
 * @property {{ name: string, reason: string }[]} failed
 * @property {boolean} steady whether the clock was where it was at first
 */

/** @typedef {readonly [name: string, workloads: () => Workload[]]} KernelSet */

/** Sets of kernels and shapes, the most informative first. @returns {KernelSet[]} */
export const sets = () => [
  ["matmul f32", () => products({})],
  ["forward ×1", () => forward("resnet50", 1, { splits: true })],
  ["forward ×32", () => forward("resnet50", 32, {})],
  ["weight gradient ×32", () => weightGrad("resnet50", 32)],
  ["input gradient ×32", () => inputGrad("resnet50", 32)],
  ["matmul f16", () => products({ Elem: "f16" })],
  ["forward ×32 f16", () => forward("resnet50", 32, {}, { Elem: "f16" })],
  ["forward ×8", () => forward("resnet50", 8, { splits: true })],
  ["forward ResNet-20 ×128", () => forward("resnet20", 128, {})],
  ["weight gradient ResNet-20 ×128", () => weightGrad("resnet20", 128)],
  ["input gradient ResNet-20 ×128", () => inputGrad("resnet20", 128)],
  ["weight gradient ×32 f16", () => weightGrad("resnet50", 32, { Elem: "f16" })],
  ["input gradient ×32 f16", () => inputGrad("resnet50", 32, { Elem: "f16" })],
  ["baked ×1", () => forward("resnet50", 1, { baked: true }).slice(0, 4)],
  ["baked ×32", () => forward("resnet50", 32, { baked: true }).slice(0, 4)],
];

/** @returns {Workload[]} */
function products(holes) {
  const of = (M, N, K, aT = false, bT = false) => {
    const params = product(M, N, K, aT, bT);
    return {
      ...{ name: `${M}×${K}${aT ? "ᵀ" : ""} · ${K}×${N}${bT ? "ᵀ" : ""}`, count: 1, kernel: matmul, params },
      flops: 2 * M * N * K,
      lengths: { a: M * K, b: K * N, y: M * N },
      options: { holes, rows: M, columns: N, depth: K, splits: M < 1024 },
    };
  };
  return [
    of(1024, 1024, 1024),
    of(4096, 4096, 4096),
    of(1024, 1024, 1024, true),
    of(1024, 1024, 1024, false, true),
    of(32, 1000, 2048),
    of(2048, 1000, 32, true),
  ];
}

/** @returns {Workload[]} */
const forward = (net, N, options, holes = {}) =>
  convolutionsOf(net, N).map(({ name, count, p }) => ({
    ...{ name, count, kernel: conv2d, params: p, flops: flopsOf(p) },
    lengths: { ...lengthsOf(p, "x", "w", "y") },
    options: { ...options, holes, rows: p.N * p.P * p.Q, columns: p.O, depth: p.R * p.S * p.C },
  }));

/** @returns {Workload[]} */
const inputGrad = (net, N, holes = {}) =>
  convolutionsOf(net, N)
    .filter(({ p }) => p.C > 3)
    .map(({ name, count, p }) => ({
      ...{ name, count, kernel: conv2dInputGrad, params: p, flops: flopsOf(p) },
      lengths: { ...lengthsOf(p, "dx", "w", "dy") },
      options: { holes, rows: p.N * p.H * p.W, columns: p.C, depth: p.R * p.S * p.O },
    }));

/** @returns {Workload[]} */
const weightGrad = (net, N, holes = {}) =>
  convolutionsOf(net, N).map(({ name, count, p }) => {
    const splits = weightGradSplits(p, { software: false });
    return {
      ...{ name: `${name} /${splits}`, count, kernel: conv2dWeightGrad, params: { ...p, splits } },
      flops: flopsOf(p),
      lengths: { ...lengthsOf(p, "x", "dw", "dy"), partial: splits * p.R * p.S * p.C * p.O },
      options: { holes, rows: p.R * p.S * p.C, columns: p.O, depth: p.N * p.P * p.Q },
    };
  });

const flopsOf = ({ N, P, Q, O, R, S, C }) => 2 * N * P * Q * O * R * S * C;

const lengthsOf = ({ N, H, W, C, R, S, O, P, Q }, x, w, y) => ({
  [x]: N * H * W * C,
  [w]: R * S * C * O,
  [y]: N * P * Q * O,
});

/**
 * @param {Device} device
 * @param {import("./clock.mjs").WarmClock} clock
 * @param {readonly KernelSet[]} chosen
 * @param {() => boolean} isOver
 * @param {(result: Omit<KernelResult, "steady">) => void} onResult
 */
export async function measureKernels(device, clock, chosen, isOver, onResult) {
  const memory = new Memory(device);
  for (const [set, workloads] of chosen) {
    for (const workload of workloads()) {
      if (isOver()) break;
      const holes = /** @type {any} */ (workload.options).holes ?? {};
      const candidates = candidatesOf(
        device,
        workload.kernel,
        workload.params,
        /** @type {any} */ (workload.options),
      );
      const result = await measureWorkload(device, clock, memory, workload, candidates, holes);
      onResult({ set, ...result });
    }
  }
  memory.destroy();
}

async function measureWorkload(device, clock, memory, workload, candidates, holes) {
  const { kernel, params, name, count, flops, lengths } = workload;
  const isHalf = holes.Elem === "f16";
  const [output = ""] = kernel.writes;
  const partial = Math.max(4, ...candidates.map((candidate) => candidate.partial));
  const buffers = memory.of({ partial, ...lengths }, isHalf, kernel);
  const planned = ({ launches }) =>
    launches.map((launch) => ({
      ...launch,
      buffers: launch.buffers.map((/** @type {string} */ buffer) => ({ buffer: buffers[buffer] })),
    }));
  const plain = {
    launches: [{ kernel, params, holes, variant: kernel.variants.plain.name, buffers: operandsOf(kernel) }],
  };
  const expected = await resultOf(
    device,
    memory,
    planned(plain),
    buffers[output],
    lengths[output],
    isHalf && output !== "partial",
  );
  const failed = [];
  const programs = await Promise.all(
    candidates.map(async (candidate) => {
      try {
        return { candidate, program: await device.launcher.prepare(planned(candidate)) };
      } catch (error) {
        failed.push({ name: candidate.name, reason: /** @type {Error} */ (error).message.slice(0, 600) });
        return undefined;
      }
    }),
  );
  const times = [];
  for (const one of programs) {
    if (!one) continue;
    const { candidate, program } = one;
    device.launcher.replay(program);
    const found = await memory.read(buffers[output], lengths[output], isHalf && output !== "partial");
    const error = errorOf(found, expected);
    const microseconds = await clock.time(program);
    times.push({ name: candidate.name, chosen: candidate.chosen, microseconds, error });
    program.destroy();
  }
  times.sort((a, b) => a.microseconds - b.microseconds);
  return { name, count, flops, times, failed };
}

async function resultOf(device, memory, launches, buffer, length, isHalf) {
  const program = await device.launcher.prepare(launches);
  device.launcher.replay(program);
  const values = await memory.read(buffer, length, isHalf);
  program.destroy();
  return values;
}

/** ‖found − expected‖₂ / ‖expected‖₂ */
function errorOf(found, expected) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
