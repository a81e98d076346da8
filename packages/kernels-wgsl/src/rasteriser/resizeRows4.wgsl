// y[r, c] = x[r, c] where c < width, else 0:   rows get longer, or lose their ends
//
// As resizeRows.wgsl; one invocation for each four of y.
//
//   x  [rows, width]     y  [rows, length]     dense; length a multiple of 4
//   dispatch  (min(ceil(rows·length / 4 / THREADS), 65535), 1, 1)

alias Elem = f32;
alias StoredVec = vec4<Elem>;
const THREADS: u32 = 64;

struct Params { rows: u32, width: u32, length: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let fours = p.length / 4;
  for (var i = id.x; i < p.rows * fours; i += grid.x * THREADS) {
    let row = i / fours;
    let c = 4 * (i - row * fours);
    var four = StoredVec();
    for (var j = 0u; j < 4; j++) {
      if (c + j < p.width) { four[j] = x[row * p.width + c + j]; }
    }
    y[i] = four;
  }
}
