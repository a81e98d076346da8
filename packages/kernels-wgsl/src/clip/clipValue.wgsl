// x = clamp(x, -most, most)
//
// In place, grid-stride.
//
//   x  dense, `length` elements
//   dispatch  enough to stride over length / WIDTH, at most (65535, 1, 1)

alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
alias Bits = u32;       // those of a load
const WIDTH: u32 = 1;
const THREADS: u32 = 64;

struct Params { length: u32, most: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<Vec>;
@group(0) @binding(1) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var i = id.x; i < p.length / WIDTH; i += grid.x * THREADS) {
    let value = x[i];
    let isNan = (bitcast<Bits>(value) & Bits(0x7fffffffu)) > Bits(0x7f800000u);
    x[i] = select(clamp(value, Vec(-p.most), Vec(p.most)), value, isNan);
  }
}
