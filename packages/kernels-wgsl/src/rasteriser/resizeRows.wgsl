// y[r, c] = x[r, c] where c < width, else 0:   rows get longer, or lose their ends
//
// One invocation for each element of y.
//
//   x  [rows, width]     y  [rows, length]     dense
//   dispatch  (min(ceil(rows·length / THREADS), 65535), 1, 1)

alias Elem = f32;
const THREADS: u32 = 64;

struct Params { rows: u32, width: u32, length: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var i = id.x; i < p.rows * p.length; i += grid.x * THREADS) {
    let row = i / p.length;
    let c = i - row * p.length;
    var value = Elem();
    if (c < p.width) { value = x[row * p.width + c]; }
    y[i] = value;
  }
}
