// x = clamp(x, -most, most)
//
// In place, grid-stride.
//
//   x  dense, `length` elements
//   dispatch  (min(ceil(length / THREADS), 65535), 1, 1)

const THREADS: u32 = 256;

struct Params { length: u32, most: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length; i += groups.x * THREADS) {
    // Comparisons leave a NaN as it is, where `clamp` may hide it.
    if (x[i] > p.most) { x[i] = p.most; }
    if (x[i] < -p.most) { x[i] = -p.most; }
  }
}
