// dx[o, k] = y · (dy − Σ over k of dy · y),   or where y is the logarithm  dy − e^y · Σ over k of dy
//
// A workgroup walks along one row, its invocations side by side. For what is contiguous along k.
//
//   y dy dx  [outer, size]
//   dispatch  spread(outer)

alias Elem = f32;
const LOG: bool = false;
const THREADS: u32 = 128;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> y: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;

var<workgroup> values: array<f32, THREADS>;

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

// The gradient passes through y itself and through the sum of what y was divided by.
fn term(y: f32, dy: f32) -> f32 { return select(dy * y, dy, LOG); }
fn result(y: f32, dy: f32, sum: f32) -> f32 {
  if (LOG) { return dy - exp(y) * sum; }
  return y * (dy - sum);
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

  var sum = 0.0;
  for (var k = first + thread; k < end; k += THREADS) { sum += term(f32(y[k]), f32(dy[k])); }
  sum = total(thread, sum);
  for (var k = first + thread; k < end; k += THREADS) { dx[k] = Elem(result(f32(y[k]), f32(dy[k]), sum)); }
}
