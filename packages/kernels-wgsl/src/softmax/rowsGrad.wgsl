// dx[o, k] = y · (dy − Σ over k of dy · y),   or where y is the logarithm  dy − e^y · Σ over k of dy
//
// A workgroup walks along one row, its invocations side by side. For rows that are contiguous along k.
//
//   y dy dx  [outer, size]
//   dispatch  spread(outer)

alias Elem = f32;
const LOG: bool = false;
alias Sum = f32;
const THREADS: u32 = 128;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> y: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;

// = isNan
// By the bits: a compiler may take x != x for false.
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn exponential(x: f32) -> f32 { return select(exp(x), x, isNan(x)); }
// = end

var<workgroup> values: array<f32, THREADS>;

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

fn addend(k: u32, _m: f32) -> Sum { return select(f32(dy[k]) * f32(y[k]), f32(dy[k]), LOG); }

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

// The gradient passes through y itself and through the sum that y was divided by.
fn result(y: f32, dy: f32, sum: f32) -> f32 {
  if (LOG) { return dy - exponential(y) * sum; }
  return y * (dy - sum);
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

  let sum = total(thread, pairwise(first + thread, end, THREADS, 0));
  for (var k = first + thread; k < end; k += THREADS) { dx[k] = Elem(result(f32(y[k]), f32(dy[k]), sum)); }
}
