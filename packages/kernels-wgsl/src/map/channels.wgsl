// y[m, n] = f(a[m, n], b[n], c[n], s, t)
//
// As map.wgsl, where a is dense and the others repeat along the rows: an invocation keeps theirs and
// walks down WIDTH columns of DEPTH rows.
//
//   a y  [length / N, N]     b c  [N]     with N = shape0.x
//   dispatch  spread(ceil(ceil(length / N / DEPTH) · N / WIDTH / THREADS))

alias Elem = f32;         // what the buffers hold, where the next four do not say otherwise
alias A = Elem;
alias B = Elem;
alias C = Elem;
alias Y = Elem;
alias S = f32;            // what `f` computes with: f32, i32 or u32
const WIDTH: u32 = 1;
alias V = S;              // WIDTH of each
alias Bits = u32;
alias Reals = f32;
alias StoredA = A;
alias StoredB = B;
alias StoredC = C;
alias StoredY = Y;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
fn f(a: V, b: V, c: V, s: V, t: V) -> V { return a + b; }
// Bits without the sign: above 0x7f800000 for NaN alone. A compiler may take x != x for false.
fn magnitude(x: V) -> Bits { return bitcast<Bits>(x) & Bits(0x7fffffffu); }

struct Params {
  shape0: vec4u, shape1: vec4u,
  a0: vec4u, a1: vec4u,
  b0: vec4u, b1: vec4u,
  c0: vec4u, c1: vec4u,
  length: u32, axes: u32,
  s: u32, t: u32,         // the bits of two S
}

@group(0) @binding(0) var<storage, read> a: array<StoredA>;
@group(0) @binding(1) var<storage, read> b: array<StoredB>;
@group(0) @binding(2) var<storage, read> c: array<StoredC>;
@group(0) @binding(3) var<storage, read_write> y: array<StoredY>;
@group(0) @binding(4) var<uniform> p: Params;

// = power
// a^b as IEEE 754 has it: WGSL leaves bases that are not positive to the driver. Small whole exponents multiply: 10² is 100.
fn power(a: Reals, b: Reals) -> Reals {
  let one = Bits(0x3f800000u);
  let infinite = Bits(0x7f800000u);
  let nan = Bits(0x7fc00000u);
  let sizeA = bitcast<Bits>(a) & Bits(0x7fffffffu);
  let sizeB = bitcast<Bits>(b) & Bits(0x7fffffffu);
  let isWhole = trunc(b) == b;
  let isSmall = isWhole & (sizeB <= Bits(0x42800000u));    // |b| ≤ 64
  var product = Reals(1);
  var square = abs(a);
  var n = Bits(select(Reals(), abs(b), isSmall));
  for (var i = 0; i < 7; i++) {
    product = select(product, product * square, (n & Bits(1u)) == Bits(1u));
    square *= square;
    n >>= Bits(1u);
  }
  var y = select(pow(abs(a), b), select(product, 1 / product, b < Reals()), isSmall);
  // 0 and infinities
  let grows = (sizeA > one) == (b > Reals());
  let isLimit = (sizeA == Bits()) | (sizeA == infinite) | (sizeB == infinite);
  y = select(y, select(Reals(), bitcast<Reals>(infinite), grows), isLimit);
  y = select(y, Reals(1), sizeA == one);
  let isNegative = (bitcast<Bits>(a) >> Bits(31u)) == Bits(1u);
  let hasParity = isWhole & (sizeB < Bits(0x4b800000u));    // |b| < 2²⁴
  let isOdd = (Bits(select(Reals(), abs(b), hasParity)) & Bits(1u)) == Bits(1u);
  y = select(y, -y, isNegative & isOdd);
  let hasNone = isNegative & !isWhole & (sizeA > Bits()) & (sizeA < infinite);
  y = select(y, bitcast<Reals>(nan), hasNone);
  y = select(y, a + b, (sizeA > infinite) | (sizeB > infinite));
  return select(y, Reals(1), (sizeB == Bits()) | (bitcast<Bits>(a) == one));
}
// = end

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let s = V(bitcast<S>(p.s));
  let t = V(bitcast<S>(p.t));
  let columns = p.shape0.x / WIDTH;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  let n = at % columns;
  let first = at / columns * DEPTH * columns;
  let end = min(first + DEPTH * columns, p.length / WIDTH);
  let ofB = V(b[n]);
  let ofC = V(c[n]);
  for (var i = first + n; i < end; i += columns) { y[i] = StoredY(f(V(a[i]), ofB, ofC, s, t)); }
}
