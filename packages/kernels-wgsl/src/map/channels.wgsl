// y[row, col] = f(a[row, col], b[col], c[col], s, t)
//
// As map.wgsl, where a is dense and the others repeat along the rows: an invocation keeps theirs and
// walks down WIDTH columns of DEPTH rows.
//
//   a y  [length / columns, columns]     b c  [columns]     with columns = shape0.x
//   dispatch  spread(ceil(ceil(length / columns / DEPTH) · columns / WIDTH / THREADS))

alias Elem = f32;         // what the buffers hold, where the next four do not say otherwise
alias A = Elem;
alias B = Elem;
alias C = Elem;
alias Y = Elem;
alias S = f32;            // what `f` computes with: f32, i32 or u32
const WIDTH: u32 = 1;
alias Vec = S;            // WIDTH of each
alias Bits = u32;
alias Reals = f32;
alias StoredA = A;
alias StoredB = B;
alias StoredC = C;
alias StoredY = Y;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
fn f(a: Vec, b: Vec, c: Vec, s: Vec, t: Vec) -> Vec { return a + b; }
// Bits without the sign: above 0x7f800000 for NaN alone. A compiler may take x != x for false.
fn magnitude(x: Vec) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

// = mapParams
struct Params {
  shape0: vec4u, shape1: vec4u,
  a0: vec4u, a1: vec4u,
  b0: vec4u, b1: vec4u,
  c0: vec4u, c1: vec4u,
  length: u32, axes: u32,
  s: u32, t: u32,         // the bits of two S
}
// = end

@group(0) @binding(0) var<storage, read> a: array<StoredA>;
@group(0) @binding(1) var<storage, read> b: array<StoredB>;
@group(0) @binding(2) var<storage, read> c: array<StoredC>;
@group(0) @binding(3) var<storage, read_write> y: array<StoredY>;
@group(0) @binding(4) var<uniform> p: Params;

// = power
// base^exponent as IEEE 754 has it: WGSL leaves bases that are not positive to the driver. Small whole exponents multiply: 10² is 100.
fn power(base: Reals, exponent: Reals) -> Reals {
  let one = Bits(0x3f800000u);
  let infinite = Bits(0x7f800000u);
  let nan = Bits(0x7fc00000u);
  let sizeOfBase = bitcast<Bits>(base) & Bits(0x7fffffffu);
  let sizeOfExponent = bitcast<Bits>(exponent) & Bits(0x7fffffffu);
  let isWhole = trunc(exponent) == exponent;
  let isSmall = isWhole & (sizeOfExponent <= Bits(0x42800000u));    // |exponent| ≤ 64
  var product = Reals(1);
  var square = abs(base);
  var digits = Bits(select(Reals(), abs(exponent), isSmall));
  for (var digit = 0; digit < 7; digit++) {
    product = select(product, product * square, (digits & Bits(1u)) == Bits(1u));
    square *= square;
    digits >>= Bits(1u);
  }
  var result = select(pow(abs(base), exponent), select(product, 1 / product, exponent < Reals()), isSmall);
  // 0 and infinities
  let grows = (sizeOfBase > one) == (exponent > Reals());
  let isLimit = (sizeOfBase == Bits()) | (sizeOfBase == infinite) | (sizeOfExponent == infinite);
  result = select(result, select(Reals(), bitcast<Reals>(infinite), grows), isLimit);
  result = select(result, Reals(1), sizeOfBase == one);
  let isNegative = (bitcast<Bits>(base) >> Bits(31u)) == Bits(1u);
  let hasParity = isWhole & (sizeOfExponent < Bits(0x4b800000u));    // |exponent| < 2²⁴
  let isOdd = (Bits(select(Reals(), abs(exponent), hasParity)) & Bits(1u)) == Bits(1u);
  result = select(result, -result, isNegative & isOdd);
  let hasNone = isNegative & !isWhole & (sizeOfBase > Bits()) & (sizeOfBase < infinite);
  result = select(result, bitcast<Reals>(nan), hasNone);
  result = select(result, base + exponent, (sizeOfBase > infinite) | (sizeOfExponent > infinite));
  return select(result, Reals(1), (sizeOfExponent == Bits()) | (bitcast<Bits>(base) == one));
}
// = end

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let s = Vec(bitcast<S>(p.s));
  let t = Vec(bitcast<S>(p.t));
  let columns = p.shape0.x / WIDTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  let col = at % columns;
  let first = at / columns * DEPTH * columns;
  let end = min(first + DEPTH * columns, p.length / WIDTH);
  let ofB = Vec(b[col]);
  let ofC = Vec(c[col]);
  for (var i = first + col; i < end; i += columns) { y[i] = StoredY(f(Vec(a[i]), ofB, ofC, s, t)); }
}
