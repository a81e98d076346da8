import { check } from "../check.ts";
import { fill, fillParams, fillReference } from "./index.ts";

export const checks = [
  check(fill, () => [
    ...[0, 1, 257, 1021, 140_003].map((length) => ({
      name: `${length} times 3.25`,
      params: fillParams("f32", length, 3.25),
      reads: [],
      writes: [new Float32Array(length)],
      expected: [fillReference(length, 3.25)],
      tolerance: 0,
    })),
    {
      name: "a descending range",
      params: fillParams("f32", 37, 2, -0.25),
      reads: [],
      writes: [new Float32Array(37)],
      expected: [fillReference(37, 2, -0.25)],
      tolerance: 0,
    },
    {
      name: "integers that float32 does not hold",
      params: fillParams("i32", 5, -16_777_217, 2),
      holes: { Elem: "i32", Scalar: "i32" },
      half: false,
      reads: [],
      writes: [new Int32Array(5)],
      expected: [fillReference(5, -16_777_217, 2)],
      tolerance: 0,
    },
    {
      name: "unsigned integers",
      params: fillParams("u32", 3, 4_000_000_000, 1),
      holes: { Elem: "u32", Scalar: "u32" },
      half: false,
      reads: [],
      writes: [new Uint32Array(3)],
      expected: [fillReference(3, 4_000_000_000, 1)],
      tolerance: 0,
    },
  ]),
];
