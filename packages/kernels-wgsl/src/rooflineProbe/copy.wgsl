// y[i] = x[i]
//
// The adapter's peak of moving memory: by fours, grid-stride.
//
//   x y  [length] of vec4f
//   dispatch  (min(ceil(length / THREADS), 65535), 1, 1)

const THREADS: u32 = 64;

struct Params { length: u32 }

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var i = id.x; i < p.length; i += grid.x * THREADS) { y[i] = x[i]; }
}
