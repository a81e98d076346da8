import { check, randomValues } from "../check.ts";
import {
  DISTRIBUTIONS,
  dropout,
  dropoutParams,
  dropoutReference,
  integerParams,
  integerReference,
  normalParams,
  normalReference,
  random,
  type Stream,
  uniformParams,
  uniformReference,
} from "./index.ts";

/** Small, and with carries between all words. */
const streams: Stream[] = [
  { seed: 0, offset: 0 },
  { seed: 2015, offset: 7 },
  { seed: 2 ** 53 - 1, offset: 2 ** 32 - 3 },
];

/** Counts of numbers; of the last, an invocation draws several blocks. */
const draws: [length: number, stream: Stream][] = [
  ...[0, 1, 6, 1021, 5003].flatMap((length) => streams.map((stream): [number, Stream] => [length, stream])),
  [530_001, streams[1]!],
];

export const checks = [
  check(random, () => [
    ...draws.map(([length, stream]) => ({
      name: `${length} uniform of seed ${stream.seed}`,
      params: uniformParams(length, stream, 0, 1),
      holes: { distribution: DISTRIBUTIONS.uniform },
      half: false, // which does not hold 24 bits
      reads: [],
      writes: [new Float32Array(length)],
      expected: [uniformReference(length, stream, 0, 1)],
      tolerance: 0,
    })),
    ...streams.flatMap((stream) => [
      {
        name: `uniform in [-3, 5) of seed ${stream.seed}`,
        params: uniformParams(257, stream, -3, 5),
        holes: { distribution: DISTRIBUTIONS.uniform },
        half: false, // which does not hold 24 bits
        reads: [],
        writes: [new Float32Array(257)],
        expected: [uniformReference(257, stream, -3, 5)],
      },
      {
        name: `uniform of 11 bits, of seed ${stream.seed}`,
        params: uniformParams(257, stream, 0, 1),
        holes: { distribution: DISTRIBUTIONS.uniform, BITS: 11 },
        reads: [],
        writes: [new Float32Array(257)],
        expected: [uniformReference(257, stream, 0, 1, 11)],
        tolerance: 0,
      },
      {
        name: `normal of seed ${stream.seed}`,
        params: normalParams(1021, stream, 0.5, 2),
        holes: { distribution: DISTRIBUTIONS.normal },
        reads: [],
        writes: [new Float32Array(1021)],
        expected: [normalReference(1021, stream, 0.5, 2)],
        tolerance: 3e-6, // WGSL lets `log` be off by 5e-7, which is 1e-6 of the numbers
      },
      {
        name: `integers of seed ${stream.seed}`,
        params: integerParams(257, stream, -2_000_000_000, 2_000_000_000),
        holes: { distribution: DISTRIBUTIONS.integers, Elem: "i32" },
        half: false,
        reads: [],
        writes: [new Int32Array(257)],
        expected: [integerReference(257, stream, -2_000_000_000, 2_000_000_000)],
        tolerance: 0,
      },
    ]),
  ]),
  check(dropout, () =>
    draws.map(([length, stream]) => ({
      name: `${length} of seed ${stream.seed}`,
      params: dropoutParams(length, stream, 0.25),
      reads: [randomValues(length)],
      writes: [new Float32Array(length)],
      expected: [dropoutReference(randomValues(length), stream, 0.25)],
    })),
  ),
];
