// y[i] = f(a[i], b[i], c[i], s, t), four neighbours along the last axis at a time
//
// As map.wgsl, for a last axis whose length is a multiple of 4. An operand either has neighbours in
// memory there, and then all its other strides are multiples of 4, or repeats one element.
//
//   a b c   broadcast by their strides along `shape`      y  dense, `length` elements
//   dispatch  spread(ceil(length / 4 / THREADS / TURNS))

alias Elem = f32;         // what the buffers hold, where the next four do not say otherwise
alias A = Elem;
alias B = Elem;
alias C = Elem;
alias Y = Elem;
alias S = f32;            // what `f` computes with: f32, i32 or u32
alias Vec = vec4<S>;
alias Bits = vec4u;
alias Reals = vec4f;
const THREADS: u32 = 64;
const TURNS: u32 = 16;
const AXES: u32 = 8;      // that `shape` has at most: 1, where all operands are dense, 2 or 8
fn f(a: Vec, b: Vec, c: Vec, s: Vec, t: Vec) -> Vec { return a + b; }
// Bits without the sign: above 0x7f800000 for NaN alone. A compiler may take x != x for false.
fn magnitude(x: Vec) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

// The shape is y's, last axis first: up to 8 axes, the rest 1. A stride of 0 repeats the operand.
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

@group(0) @binding(0) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<B>>;
@group(0) @binding(2) var<storage, read> c: array<vec4<C>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<Y>>;
@group(0) @binding(4) var<uniform> p: Params;

// Position of the four elements from 4 · i along the last four axes, the last one counted in fours; the
// fourth counts on through the axes before it.
fn position(i: u32) -> vec4u {
  if (AXES == 1) { return vec4u(i, 0, 0, 0); }
  let side = p.shape0.x / 4;
  let rows = i / side;
  if (AXES == 2) { return vec4u(i % side, rows, 0, 0); }
  let planes = rows / p.shape0.y;
  return vec4u(i % side, rows % p.shape0.y, planes % p.shape0.z, planes / p.shape0.z);
}

// Positions add up like digits: no division in the loop.
fn moved(k: vec4u, by: vec4u) -> vec4u {
  let side = vec3u(p.shape0.x / 4, p.shape0.yz);
  var to = k + by;
  if (AXES > 1 && to.x >= side.x) { to.x -= side.x; to.y++; }
  if (AXES > 2 && to.y >= side.y) { to.y -= side.y; to.z++; }
  if (AXES > 2 && to.z >= side.z) { to.z -= side.z; to.w++; }
  return to;
}

// Places of the operands' elements for position k.
fn offsets(k: vec4u) -> vec3u {
  if (AXES == 1) { return vec3u(4 * k.x); }
  var at = 4 * k.x * vec3u(p.a0.x, p.b0.x, p.c0.x);
  // = mapAxes
  at += k.y * vec3u(p.a0.y, p.b0.y, p.c0.y);
  if (AXES > 2) { at += k.z * vec3u(p.a0.z, p.b0.z, p.c0.z); }
  if (AXES > 2 && p.axes == 4) { at += k.w * vec3u(p.a0.w, p.b0.w, p.c0.w); }
  if (AXES > 2 && p.axes > 4) {
    at += k.w % p.shape0.w * vec3u(p.a0.w, p.b0.w, p.c0.w);
    var rest = k.w / p.shape0.w;
    for (var j = 0u; j < 4; j++) {
      at += rest % p.shape1[j] * vec3u(p.a1[j], p.b1[j], p.c1[j]);
      rest /= p.shape1[j];
    }
  }
  return at;
}
  // = end

fn loadA(at: u32) -> Vec { if (AXES > 1 && p.a0.x == 0) { return Vec(S(a[at / 4][at % 4])); } return Vec(a[at / 4]); }
fn loadB(at: u32) -> Vec { if (AXES > 1 && p.b0.x == 0) { return Vec(S(b[at / 4][at % 4])); } return Vec(b[at / 4]); }
fn loadC(at: u32) -> Vec { if (AXES > 1 && p.c0.x == 0) { return Vec(S(c[at / 4][at % 4])); } return Vec(c[at / 4]); }

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
  let first = (wg.y * grid.x + wg.x) * THREADS * TURNS;
  let end = min(first + THREADS * TURNS, p.length / 4);
  let by = position(THREADS);
  var k = position(first + thread);
  for (var i = first + thread; i < end; i += THREADS) {
    let at = offsets(k);
    y[i] = vec4<Y>(f(loadA(at.x), loadB(at.y), loadC(at.z), s, t));
    k = moved(k, by);
  }
}
