// x *= min(1, most / (norm + 1e-6))
//
// Shortens a gradient by what all of them together exceed the limit, in place. Grid-stride.
//
//   norm  1 element     x  dense, `length` elements
//   dispatch  enough to stride over length / WIDTH, at most (65535, 1, 1)

alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const WIDTH: u32 = 1;
const THREADS: u32 = 64;

struct Params { length: u32, most: f32 }

@group(0) @binding(0) var<storage, read> norm: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<Vec>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let scale = p.most / (norm[0] + 1e-6);
  // A norm that is NaN has to show in what it scales. By the bits: a compiler may take !(a < b) for a >= b.
  let isNan = (bitcast<u32>(scale) & 0x7fffffffu) > 0x7f800000u;
  if (!isNan && scale >= 1.0) { return; }
  for (var i = id.x; i < p.length / WIDTH; i += grid.x * THREADS) { x[i] *= scale; }
}
