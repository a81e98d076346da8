// y[o, k] = e^(x[o, k] − m) / Σ over k of e^(x[o, k] − m),   m = max over k of x[o, k]
//
// Or its logarithm. A workgroup walks along one row, its invocations side by side. For what is
// contiguous along k: inner = 1.
//
//   x y  [outer, size]
//   dispatch  spread(outer)

alias Elem = f32;
const LOG: bool = false;
const THREADS: u32 = 128;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> values: array<f32, THREADS>;

// The largest in the workgroup, for each of its invocations.
fn largest(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] = max(values[thread], values[thread + half]); }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

// The sum over the workgroup, for each of its invocations.
fn total(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

// y, of x relative to the largest of its row, and the sum of their e^x.
fn result(x: f32, sum: f32) -> f32 {
  if (LOG) { return x - log(sum); }
  return exp(x) / sum;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= p.outer) { return; }
  let first = row * p.size;
  let end = first + p.size;

  var m = f32(x[first]);
  for (var k = first + thread; k < end; k += THREADS) { m = max(m, f32(x[k])); }
  m = largest(thread, m);
  var sum = 0.0;
  for (var k = first + thread; k < end; k += THREADS) { sum += exp(f32(x[k]) - m); }
  sum = total(thread, sum);
  for (var k = first + thread; k < end; k += THREADS) { y[k] = Elem(result(f32(x[k]) - m, sum)); }
}
