// y[o, k] = e^(x[o, k] − m) / Σ over k of e^(x[o, k] − m),   m = max over k of x[o, k]
//
// Or its logarithm. A workgroup walks along one row, its invocations side by side. For rows that are
// contiguous: inner = 1.
//
//   x y  [outer, size]
//   dispatch  spread(outer)

alias Elem = f32;
const LOG: bool = false;
alias Sum = f32;
const THREADS: u32 = 128;

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

var<workgroup> values: array<f32, THREADS>;

// The largest in the workgroup, for each of its invocations.
fn largest(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] = larger(values[thread], values[thread + half]); }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

// = total
// The sum over the workgroup, for each of its invocations.
fn total(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  return values[0];
}
// = end

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
  let row = wg.y * grid.x + wg.x;
  if (row >= p.outer) { return; }
  let first = row * p.size;
  let end = first + p.size;

  var m = f32(x[first]);
  for (var k = first + thread; k < end; k += THREADS) { m = larger(m, f32(x[k])); }
  m = largest(thread, m);
  let sum = total(thread, pairwise(first + thread, end, THREADS, m));
  for (var k = first + thread; k < end; k += THREADS) { y[k] = Elem(result(f32(x[k]) - m, sum)); }
}
