// y[o, k] = Σ x[o, j] over j ≤ k, or over j ≥ k with REVERSE
//
// A workgroup walks along one line, 4 · THREADS elements at a time: each invocation adds four neighbours, and the sums of
// all invocations before it come by doubling steps (Hillis & Steele, "Data parallel algorithms", 1986).
//
//   x, y  [outer, size]     all dense, row-major
//   dispatch  spread(outer)

alias Elem = f32;
alias Sum = f32;          // type that adds: whole numbers as such
const REVERSE: bool = false;
const THREADS: u32 = 256;

struct Params { outer: u32, size: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

var<workgroup> sums: array<Sum, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let line = wg.y * grid.x + wg.x;
  if (line >= p.outer) { return; }
  let first = line * p.size;
  var before = Sum();
  for (var start = 0u; start < p.size; start += 4 * THREADS) {
    let k = start + 4 * thread;
    var own = array<Sum, 4>();
    var total = Sum();
    for (var j = 0u; j < 4; j++) {
      if (k + j < p.size) { total += Sum(x[first + select(k + j, p.size - 1 - k - j, REVERSE)]); }
      own[j] = total;
    }
    sums[thread] = total;
    workgroupBarrier();
    for (var step = 1u; step < THREADS; step <<= 1) {
      var left = Sum();
      if (thread >= step) { left = sums[thread - step]; }
      workgroupBarrier();
      sums[thread] += left;
      workgroupBarrier();
    }
    var others = Sum();
    if (thread > 0) { others = sums[thread - 1]; }
    for (var j = 0u; j < 4; j++) {
      if (k + j < p.size) {
        y[first + select(k + j, p.size - 1 - k - j, REVERSE)] = Elem(before + (others + own[j]));
      }
    }
    before += sums[THREADS - 1];
    workgroupBarrier();
  }
}
