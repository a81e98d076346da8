import { check, randomValues, type Values } from "../check.ts";
import { bits } from "../launch/bits.ts";
import { broadcast, dense, map, mapReference } from "./index.ts";

/** y = a + 2 b + 3 c over broadcast operands, by the definition of strides. */
function broadcastCase(shape: readonly number[], used: readonly (readonly number[])[]) {
  const strides = [...used, ...[shape.map(() => 0)].slice(used.length - 2)];
  const length = shape.reduce((size, side) => size * side, 1);
  const reads: Values[] = [1, 2, 3].map((seed) => randomValues(Math.max(4, length), seed));
  const expected = Float64Array.from({ length }, (_, i) => {
    const at = strides.map(() => 0);
    for (let axis = shape.length - 1, rest = i; axis >= 0; axis--) {
      const k = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      for (const [operand, of] of strides.entries()) at[operand]! += k * of[axis]!;
    }
    return at.reduce((sum, offset, operand) => sum + (operand + 1) * reads[operand]![offset]!, 0);
  });
  return {
    name: `[${shape}] from strides ${strides.map((of) => `[${of}]`).join(" ")}`,
    params: broadcast(shape, strides),
    holes: { f: "a + 2 * b + 3 * c" },
    reads,
    writes: [new Float32Array(length)],
    expected: [expected],
  };
}

const BASES = Float32Array.of(0, -0, 1, -1, 1.01, -1.01, 0.97, -0.97, 1 / 0, -1 / 0, Number.NaN);
/** Whole ones up to 64 are multiplied, those from 2²⁴ on are even. */
const EXPONENTS = [
  0,
  1,
  -1,
  2,
  -2,
  3,
  7,
  64,
  -64,
  65,
  0.5,
  -0.5,
  2 ** 24 - 1,
  2 ** 24,
  1 / 0,
  -1 / 0,
  Number.NaN,
];

/** base^exponent as IEEE 754 has it; in JavaScript 1 to the power of ∞ or NaN is NaN. */
function power(base: number, exponent: number): number {
  const isOne = base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY);
  return isOne ? 1 : base ** exponent;
}

/** Each base with each of a few exponents: `inOrder` one of each for an element, else an exponent for each channel. */
function powerCase(inOrder: boolean) {
  const exponents = Float32Array.from([...EXPONENTS, 4, 5, -7]);
  const columns = exponents.length;
  const length = BASES.length * columns;
  const ofEach = (of: (row: number, column: number) => number) =>
    Float32Array.from({ length }, (_, i) => of(Math.floor(i / columns), i % columns));
  const a = ofEach((row) => BASES[row]!);
  const expected = Float64Array.from(a, (base, i) => power(base, exponents[i % columns]!));
  return {
    name: `powers, ${inOrder ? "an exponent for each" : "an exponent for each channel"}`,
    params: inOrder
      ? dense(length)
      : broadcast(
          [BASES.length, columns],
          [
            [columns, 1],
            [0, 1],
          ],
        ),
    holes: { f: "power(a, b)" },
    reads: [a, inOrder ? ofEach((_, column) => exponents[column]!) : exponents, new Float32Array(length)],
    writes: [new Float32Array(length)],
    expected: [expected],
    half: false,
  };
}

export const checks = [
  check(map, () => [
    powerCase(true),
    powerCase(false),
    ...[0, 1, 7, 256, 1021, 300_000].map((length) => {
      const [a, b, c] = [1, 2, 3].map((seed) => randomValues(length, seed)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      return {
        name: `fused multiply-add of ${length}`,
        params: dense(length),
        holes: { f: "a * b + c" },
        reads: [a, b, c],
        writes: [new Float32Array(length)],
        expected: [mapReference((a, b, c) => a * b + c, a, b, c)],
      };
    }),
    {
      name: "two scalars",
      params: dense(8, bits("f32", 0.5), bits("f32", -0.25)),
      holes: { f: "clamp(a * s, t, s)" },
      reads: [randomValues(8), randomValues(8), randomValues(8)],
      writes: [new Float32Array(8)],
      expected: [mapReference((a) => Math.min(0.5, Math.max(-0.25, a * 0.5)), randomValues(8))],
    },
    {
      name: "integers that float32 does not hold",
      params: dense(4, bits("i32", -7)),
      holes: { f: "a * b + s", Elem: "i32", S: "i32" },
      reads: [Int32Array.of(16_777_217, -3, 5, 0), Int32Array.of(3, 5, -7, 1), new Int32Array(4)],
      writes: [new Int32Array(4)],
      expected: [[50_331_644, -22, -42, -7]],
      tolerance: 0,
      half: false,
    },
    {
      name: "a comparison of integers as float32",
      params: broadcast(
        [3, 2, 4],
        [
          [0, 0, 1],
          [1, 0, 0],
        ],
      ),
      holes: { f: "select(Vec(0), Vec(1), a == b)", A: "i32", B: "u32", S: "i32" },
      reads: [Int32Array.of(0, 1, 2, 0), Uint32Array.of(2, 0, 9, 0), new Float32Array(4)],
      writes: [new Float32Array(24)],
      expected: [[0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    },
    ...[
      {
        shape: [3, 5],
        strides: [
          [1, 0],
          [0, 1],
          [0, 0],
        ],
      }, // an outer sum and a scalar
      {
        shape: [7, 4],
        strides: [
          [4, 1],
          [0, 1],
        ],
      }, // a bias
      {
        shape: [37, 8],
        strides: [
          [8, 1],
          [0, 1],
          [0, 1],
        ],
      }, // two of them
      {
        shape: [1030, 3],
        strides: [
          [3, 1],
          [0, 1],
          [0, 1],
        ],
      },
      {
        shape: [7, 12],
        strides: [
          [12, 1],
          [1, 0],
        ],
      }, // a column
      {
        shape: [2, 3, 5, 8],
        strides: [
          [120, 40, 8, 1],
          [8, 0, 0, 1],
        ],
      }, // a gate for each image and channel
      {
        shape: [2, 3, 5, 7],
        strides: [
          [105, 35, 7, 1],
          [0, 7, 0, 1],
          [1, 0, 2, 0],
        ],
      },
      {
        shape: [2, 3, 5, 8],
        strides: [
          [0, 8, 0, 1],
          [40, 0, 8, 1],
        ],
      }, // four axes of fours
      {
        shape: [1, 300, 1, 8, 100],
        strides: [
          [0, 800, 0, 100, 1],
          [0, 8, 0, 1, 0],
        ],
      },
      {
        shape: [2, 3, 2, 5, 3],
        strides: [
          [1, 0, 2, 0, 4],
          [0, 1, 0, 3, 0],
        ],
      },
      {
        shape: [3, 2, 5, 3, 8],
        strides: [
          [0, 8, 0, 16, 1],
          [1, 0, 3, 0, 0],
        ],
      }, // five axes
      {
        shape: [2, 3, 2, 3, 2, 3, 2, 4],
        strides: [
          [1, 0, 2, 0, 4, 0, 8, 0],
          [0, 36, 0, 12, 0, 4, 0, 1],
        ],
      },
      {
        shape: [2, 3, 2, 3, 2, 3, 2, 3],
        strides: [
          [1, 0, 2, 0, 4, 0, 8, 0],
          [0, 1, 0, 3, 0, 9, 0, 27],
        ],
      },
      {
        shape: [1030, 36],
        strides: [
          [36, 1],
          [0, 1],
          [0, 1],
        ],
      }, // channels, several workgroups of four
      {
        shape: [300, 36],
        strides: [
          [36, 1],
          [1, 0],
        ],
      },
      { shape: [], strides: [[], []] },
    ].map(({ shape, strides }) => broadcastCase(shape, strides)),
  ]),
];
