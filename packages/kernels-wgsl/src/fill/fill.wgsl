// y[i] = start + step · i
//
// A constant where `step` is 0, a range otherwise. `start` and `step` travel as the bits of a Scalar, so
// that integers keep all 32 of them. Grid-stride.
//
//   y  dense, `length` elements
//   dispatch  (min(ceil(length / THREADS), 512), 1, 1)

alias Elem = f32;         // what y holds
alias Scalar = f32;       // type of the computation: f32, i32 or u32
const THREADS: u32 = 256;

struct Params { length: u32, start: u32, step: u32 }

@group(0) @binding(0) var<storage, read_write> y: array<Elem>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let start = bitcast<Scalar>(p.start);
  let step = bitcast<Scalar>(p.step);
  for (var i = id.x; i < p.length; i += grid.x * THREADS) {
    y[i] = Elem(start + step * Scalar(i));
  }
}
