// y[o, k, i] = e^(x[o, k, i] − m) / Σ over k of e^(x[o, k, i] − m),   m = max over k of x[o, k, i]
//
// Or its logarithm. An invocation walks down one column alone, three times.
//
//   x y  [outer, size, inner]
//   dispatch  spread(ceil(outer · inner / THREADS))

alias Elem = f32;
const LOG: bool = false;
alias Sum = f32;
const THREADS: u32 = 64;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

// = isNan
// By the bits: a compiler may take x != x for false.
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn exponential(x: f32) -> f32 { return select(exp(x), x, isNan(x)); }
// = end
fn logarithm(x: f32) -> f32 { return select(log(x), x, isNan(x)); }
fn larger(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, isNan(a) || isNan(b)); }

fn addend(k: u32, m: f32) -> Sum { return exponential(f32(x[k]) - m); }

// = pairwise
// Σ addend(k, m) over every step-th k. Blocks are added up as a binary counter counts, each to one of as many terms, so
// that rounding grows with the logarithm of the length.
fn pairwise(first: u32, end: u32, step: u32, m: f32) -> Sum {
  var sums = array<Sum, 32>();    // one for each bit of `count`
  var count = 0u;
  for (var start = first; start < end; start += 16 * step) {
    let stop = min(start + 16 * step, end);
    var sum = Sum();
    for (var k = start; k < stop; k += step) { sum += addend(k, m); }
    var level = 0u;
    for (; ((count >> level) & 1u) == 1u; level++) { sum += sums[level]; }
    sums[level] = sum;
    count++;
  }
  var total = Sum();
  for (var level = 0u; (count >> level) > 0u; level++) {
    if (((count >> level) & 1u) == 1u) { total += sums[level]; }
  }
  return total;
}
// = end

// y, of x relative to the largest of its row, and the sum of their e^x.
fn result(x: f32, sum: f32) -> f32 {
  if (LOG) { return x - logarithm(sum); }
  return exponential(x) / sum;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.outer * p.inner) { return; }
  let first = at / p.inner * p.size * p.inner + at % p.inner;
  let end = first + p.size * p.inner;

  var m = f32(x[first]);
  for (var k = first; k < end; k += p.inner) { m = larger(m, f32(x[k])); }
  let sum = pairwise(first, end, p.inner, m);
  for (var k = first; k < end; k += p.inner) { y[k] = Elem(result(f32(x[k]) - m, sum)); }
}
