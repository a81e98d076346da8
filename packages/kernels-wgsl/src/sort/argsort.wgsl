// y[o, rank, i] = k where rank is the number of elements of x[o, ·, i] that come before x[o, k, i]
//
// Of equals the first comes first, and NaN is larger than all others. Each invocation counts for one element: size² comparisons a
// line, no exchange between invocations, any length. Grid-stride over x.
//
//   x  [outer, size, inner]     y  [outer, size, inner]     all dense, row-major
//   dispatch  (min(ceil(outer · size · inner / THREADS), 65535), 1, 1)

alias Elem = f32;
const THREADS: u32 = 256;
alias Key = f32;          // type that is compared: whole numbers as such
const WHOLE: bool = false;
const DESCENDING: bool = false;

// By the bits: a compiler may take x != x for false.
fn isNan(x: Key) -> bool { return !WHOLE && (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// NaN is the largest, so that it comes first where the largest does.
fn below(a: Key, b: Key) -> bool { return !isNan(a) && (isNan(b) || a < b); }

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var at = id.x; at < p.outer * p.size * p.inner; at += grid.x * THREADS) {
    let row = at / p.inner;
    let k = row % p.size;
    let first = row / p.size * p.size * p.inner + at % p.inner;
    let own = Key(x[at]);
    var rank = 0u;
    for (var j = 0u; j < p.size; j++) {
      let other = Key(x[first + j * p.inner]);
      let before = select(below(other, own), below(own, other), DESCENDING);
      let after = select(below(own, other), below(other, own), DESCENDING);
      if (before || (j < k && !after)) { rank++; }
    }
    y[first + rank * p.inner] = i32(k);
  }
}
