// y[o, k, i] = scale · x[o, i]
//
// The gradient of a sum. An invocation repeats its WIDTH neighbouring columns i down its share of the k.
//
//   x  [outer, inner]     y  [outer, reduced, inner]
//   dispatch  spread(ceil(outer · ceil(reduced / DEPTH) · inner / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;    // of the k, for one invocation
const WIDTH: u32 = 1;
alias Vec = f32;          // WIDTH values
alias StoredVec = Elem;   // WIDTH elements

struct Params { outer: u32, reduced: u32, inner: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.inner / WIDTH;
  let shares = (p.reduced + DEPTH - 1) / DEPTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.outer * shares * columns) { return; }
  let i = at % columns;
  let o = at / columns / shares;
  let share = at / columns % shares;

  let value = StoredVec(Vec(x[o * columns + i]) * p.scale);
  let end = min(p.reduced, (share + 1) * DEPTH);
  for (var k = share * DEPTH; k < end; k++) { y[(o * p.reduced + k) * columns + i] = value; }
}
