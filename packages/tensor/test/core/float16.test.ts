import { fromBfloat16Bits, fromFloat16Bits, toBfloat16Bits, toFloat16Bits } from "@shadegrad/tensor/formats";
import fc from "fast-check";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

const ALL = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** `x` to `digits` significant bits and no exponent below `least`, ties to even; exact in double precision. */
function rounded(x: number, digits: number, least: number, largest: number): number {
  if (!Number.isFinite(x) || x === 0) return x;
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(x))), least);
  const quantum = 2 ** (exponent - digits + 1);
  const quotient = x / quantum;
  const floor = Math.floor(quotient);
  const up = quotient - floor > 0.5 || (quotient - floor === 0.5 && floor % 2 !== 0);
  const result = (floor + (up ? 1 : 0)) * quantum;
  return Math.abs(result) > largest ? Math.sign(x) * Infinity : result === 0 ? 0 * Math.sign(x) : result;
}

const float32 = fc
  .uint32Array({ minLength: 200, maxLength: 200 })
  .map((bits) => new Float32Array(bits.buffer, bits.byteOffset, bits.length));
const nearHalf = fc
  .array(fc.tuple(fc.nat({ max: 0xffff }), fc.constantFrom(0, 0xfff, 0x1000, 0x1001, 1, 0x1fff)), {
    minLength: 100,
  })
  .map((pairs) => {
    const values = fromFloat16Bits(Uint16Array.from(pairs, ([half]) => half));
    const bits = new Uint32Array(values.buffer);
    pairs.forEach(([, below], i) => {
      bits[i] = bits[i]! | below;
    });
    return values;
  });

test("every float16 value survives the way to float32 and back, NaN payloads included", () => {
  const back = toFloat16Bits(fromFloat16Bits(ALL));
  const expected = ALL.map((half) => ((half & 0x7fff) > 0x7c00 ? half | 0x200 : half));
  expect(back).toEqual(expected);
});

test("every bfloat16 value survives the way to float32 and back, NaN payloads included", () => {
  const back = toBfloat16Bits(fromBfloat16Bits(ALL));
  const expected = ALL.map((half) => ((half & 0x7fff) > 0x7f80 ? half | 0x40 : half));
  expect(back).toEqual(expected);
});

test("float16 values are what the standard says", () => {
  const values = fromFloat16Bits(
    Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x03ff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00),
  );
  expect([...values]).toEqual([
    1,
    -2,
    65504,
    2 ** -14,
    1023 * 2 ** -24,
    2 ** -24,
    -0,
    Infinity,
    -Infinity,
    NaN,
  ]);
});

test.each([
  ["half of the smallest subnormal ties to zero", 2 ** -25, 0x0000],
  ["just above it rounds up", 2 ** -25 + 2 ** -48, 0x0001],
  ["one and a half times it ties to the even one", 3 * 2 ** -25, 0x0002],
  ["the largest subnormal rounds up to the smallest normal", 2 ** -14 - 2 ** -25, 0x0400],
  ["65519.996 is still finite", 65519.99609375, 0x7bff],
  ["65520 ties to infinity", 65520, 0x7c00],
  ["-1e30 overflows", -1e30, 0xfc00],
  ["1 + half a unit ties down", 1 + 2 ** -11, 0x3c00],
  ["1 + one and a half ties up", 1 + 3 * 2 ** -11, 0x3c02],
  ["a float32 subnormal underflows, keeping its sign", -(2 ** -149), 0x8000],
])("float16: %s", (_, value, bits) => {
  expect(toFloat16Bits(Float32Array.of(value))[0]).toBe(bits);
});

test.each([float32, nearHalf])("rounding agrees with exact arithmetic", (values) => {
  fc.assert(
    fc.property(values, (x) => {
      expect(fromFloat16Bits(toFloat16Bits(x))).toEqual(x.map((v) => rounded(v, 11, -14, 65504)));
      // float32 ends where bfloat16 does, so the reference's overflow is that of the last step.
      expect(fromBfloat16Bits(toBfloat16Bits(x))).toEqual(
        x.map((v) => rounded(v, 8, -126, (2 - 2 ** -7) * 2 ** 127)),
      );
    }),
  );
});

test("a view that does not begin at its buffer is read where it is", () => {
  const view = new Float32Array(Float32Array.of(9, 1, 2).buffer, 4);
  expect([...toFloat16Bits(view)]).toEqual([0x3c00, 0x4000]);
  expect([...toBfloat16Bits(view)]).toEqual([0x3f80, 0x4000]);
});
