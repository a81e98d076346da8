// y[o, k, i] = Σ x[o, j, i] over j ≤ k, or over j ≥ k with REVERSE
//
// An invocation walks down one line alone, and adds in blocks of 1024: the total of those before, and that of its own.
//
//   x, y  [outer, size, inner]     all dense, row-major
//   dispatch  spread(ceil(outer · inner / THREADS))

alias Elem = f32;
alias Sum = f32;          // type that adds: whole numbers as such
const REVERSE: bool = false;
const THREADS: u32 = 64;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let line = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (line >= p.outer * p.inner) { return; }
  let first = line / p.inner * p.size * p.inner + line % p.inner;
  var before = Sum();
  for (var start = 0u; start < p.size; start += 1024) {
    var part = Sum();
    for (var k = start; k < min(start + 1024, p.size); k++) {
      let at = first + select(k, p.size - 1 - k, REVERSE) * p.inner;
      part += Sum(x[at]);
      y[at] = Elem(before + part);
    }
    before += part;
  }
}
