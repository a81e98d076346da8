// dx[o, k, i] = y · (dy − Σ over k of dy · y),   or where y is the logarithm  dy − e^y · Σ over k of dy
//
// An invocation walks down one column alone, twice.
//
//   y dy dx  [outer, size, inner]
//   dispatch  spread(ceil(outer · inner / THREADS))

alias Elem = f32;
const LOG: bool = false;
const THREADS: u32 = 64;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> y: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;

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
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= p.outer * p.inner) { return; }
  let first = at / p.inner * p.size * p.inner + at % p.inner;
  let end = first + p.size * p.inner;

  var sum = 0.0;
  for (var k = first; k < end; k += p.inner) { sum += term(f32(y[k]), f32(dy[k])); }
  for (var k = first; k < end; k += p.inner) { dx[k] = Elem(result(f32(y[k]), f32(dy[k]), sum)); }
}
