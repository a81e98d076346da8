// x = clamp(x, -most, most)
//
// In place, grid-stride.
//
//   x  dense, `length` elements
//   dispatch  enough to stride over length / LANES, at most (65535, 1, 1)

alias Value = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const LANES: u32 = 1;
const THREADS: u32 = 64;

struct Params { length: u32, most: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<Value>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length / LANES; i += groups.x * THREADS) {
    // Comparisons leave a NaN as it is, where `clamp` may hide it.
    var value = x[i];
    value = select(value, Value(p.most), value > Value(p.most));
    x[i] = select(value, Value(-p.most), value < Value(-p.most));
  }
}
