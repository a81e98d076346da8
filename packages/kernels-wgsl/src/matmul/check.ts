import { type Case, check, randomValues } from "../check.ts";
import { type MatmulParams, matmul, matmulReference } from "./index.ts";

type Sizes = [batch: number, M: number, K: number, N: number];

const shapes: Sizes[] = [
  [1, 2, 3, 1],
  [1, 1, 1, 1],
  [1, 1, 23, 1], // a sum that is far from 0, for halves
  [1, 17, 17, 1],
  [1, 20, 36, 4],
  [1, 7, 13, 5],
  [1, 33, 65, 17],
  [3, 9, 11, 7],
  [1, 64, 64, 64],
  [2, 36, 20, 68],
  [1, 1, 64, 40],
  [1, 100, 4, 1],
  [1, 8, 520, 12],
  [2, 193, 3, 65], // one more than tiles have, on each side
  [2, 129, 4, 4],
  [0, 3, 4, 5],
  [2, 3, 0, 4],
];

/** The operand that is stored transposed. */
const layouts = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

function dense([batch, M, K, N]: Sizes, aT: boolean, bT: boolean): MatmulParams {
  return {
    batch: [batch, 1, 1, 1],
    aBatch: [M * K, 0, 0, 0],
    bBatch: [K * N, 0, 0, 0],
    M,
    N,
    K,
    aRow: aT ? 1 : K,
    aCol: aT ? M : 1,
    bRow: bT ? 1 : N,
    bCol: bT ? K : 1,
  };
}

function example(name: string, params: MatmulParams, aLength: number, bLength: number): Case<MatmulParams> {
  const a = randomValues(aLength, 1);
  const b = randomValues(bLength, 2);
  const y = matmulReference(a, b, params);
  return {
    name,
    params,
    reads: [a, b],
    writes: [new Float32Array(y.length)],
    expected: [y],
    races: params.K === 17 || params.K === 36,
  };
}

/** A product of 16,640 terms, whose sum in sequence is off by 2e-5: where increments repeat, rounding goes one way. */
function long([aT, bT]: readonly [boolean, boolean]): Case<MatmulParams> {
  const K = 16_640;
  const sizes: Sizes = [1, 4, K, 4];
  const params = dense(sizes, aT, bT);
  const a = Float32Array.from({ length: 4 * K }, (_, i) => 0.3 + (i % 7) * 1e-3);
  const b = Float32Array.from({ length: 4 * K }, (_, i) => 0.7 + (i % 11) * 1e-3);
  return {
    name: `16,640 terms${aT ? ", aᵀ" : ""}${bT ? ", bᵀ" : ""}`,
    params,
    reads: [a, b],
    writes: [new Float32Array(16)],
    expected: [matmulReference(a, b, params)],
    tolerance: 4e-6,
    half: false,
  };
}

/** The same with an operand of each kind in its epilogue. */
function fused({ reads: [a, b], ...example }: Case<MatmulParams>): Case<MatmulParams> {
  const { N } = example.params;
  const y = example.expected[0] as Float64Array;
  const [bias, rest] = [randomValues(N, 3), randomValues(y.length, 4)];
  return {
    ...example,
    name: `${example.name}, with an epilogue`,
    epilogue: {
      expression: "select(Vec(0), value + e0, (e1 > Vec(0)) | (magnitude(value) > Bits(0x7f800000u)))",
      operands: [
        { kind: "dense", type: "f32" },
        { kind: "channel", type: "f32" },
      ],
    },
    reads: [a!, b!, rest, bias],
    expected: [y.map((value, i) => (bias[i % N]! > 0 ? value + rest[i]! : 0))],
    races: false,
  };
}

/** Batches [2, 3] of which `a` repeats the second axis and `b` the first. */
const repeated: MatmulParams = {
  ...dense([1, 5, 4, 8], false, false),
  batch: [3, 2, 1, 1],
  aBatch: [0, 20, 0, 0],
  bBatch: [32, 0, 0, 0],
};

/** Batches [2, 2, 1, 3] that both operands have in orders of their own. */
const ofFourAxes = (sizes: Sizes, aT: boolean, bT: boolean): MatmulParams => {
  const [, M, K, N] = sizes;
  return {
    ...dense(sizes, aT, bT),
    batch: [3, 1, 2, 2],
    aBatch: [4 * M * K, 0, M * K, 2 * M * K],
    bBatch: [K * N, 0, 6 * K * N, 3 * K * N],
  };
};

export const checks = [
  check(matmul, () => [
    ...shapes.flatMap((sizes) =>
      layouts.map(([aT, bT]) => {
        const [batch, M, K, N] = sizes;
        const name = `${batch} × ${M}×${K}${aT ? "ᵀ" : ""} · ${K}×${N}${bT ? "ᵀ" : ""}`;
        return example(name, dense(sizes, aT, bT), batch * M * K, batch * K * N);
      }),
    ),
    ...layouts.map(([aT, bT]) =>
      fused(
        example(
          `3 × 12×8${aT ? "ᵀ" : ""} · 8×20${bT ? "ᵀ" : ""}`,
          dense([3, 12, 8, 20], aT, bT),
          3 * 96,
          3 * 160,
        ),
      ),
    ),
    ...layouts.map(([aT, bT]) =>
      example(
        `batches of four axes${aT ? ", aᵀ" : ""}${bT ? ", bᵀ" : ""}`,
        ofFourAxes([1, 4, 8, 4], aT, bT),
        12 * 32,
        12 * 32,
      ),
    ),
    example("batches repeated along different axes", repeated, 2 * 20, 3 * 32),
    ...layouts.slice(0, 3).map(long),
    ...layouts.slice(0, 3).map(([aT, bT]) => ({
      ...example(
        `several tiles of 4,100 terms${aT ? ", aᵀ" : ""}${bT ? ", bᵀ" : ""}`,
        dense([1, 36, 4100, 36], aT, bT),
        36 * 4100,
        36 * 4100,
      ),
      half: false,
    })),
  ]),
];
