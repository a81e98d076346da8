// y[o, k, i] = e^(x[o, k, i] − m) / Σ over k of e^(x[o, k, i] − m),   m = max over k of x[o, k, i]
//
// Or its logarithm. An invocation walks down one column alone, three times.
//
//   x y  [outer, size, inner]
//   dispatch  spread(ceil(outer · inner / THREADS))

alias Elem = f32;
const LOG: bool = false;
const THREADS: u32 = 64;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

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
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= p.outer * p.inner) { return; }
  let first = at / p.inner * p.size * p.inner + at % p.inner;
  let end = first + p.size * p.inner;

  var m = f32(x[first]);
  for (var k = first; k < end; k += p.inner) { m = max(m, f32(x[k])); }
  var sum = 0.0;
  for (var k = first; k < end; k += p.inner) { sum += exp(f32(x[k]) - m); }
  for (var k = first; k < end; k += p.inner) { y[k] = Elem(result(f32(x[k]) - m, sum)); }
}
