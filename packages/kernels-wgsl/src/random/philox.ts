type Words = readonly number[];

/**
 * Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011:
 * four words of 32 bits from a counter of four and a key of two.
 */
export function philox(counter: Words, key: Words): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let [k0, k1] = key as [number, number];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [product(0xd2511f53, c0), product(0xcd9e8d57, c2)];
    [c0, c1, c2, c3] = [(b.high ^ c1 ^ k0) >>> 0, b.low, (a.high ^ c3 ^ k1) >>> 0, a.low];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Both words of a product of two, from halves of 16 bits: every sum stays below 2⁵³. */
function product(a: number, b: number): { high: number; low: number } {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const first = a1 * b0 + Math.floor((a0 * b0) / 65_536);
  const second = a0 * b1 + (first % 65_536);
  return {
    high: a1 * b1 + Math.floor(first / 65_536) + Math.floor(second / 65_536),
    low: Math.imul(a, b) >>> 0,
  };
}
