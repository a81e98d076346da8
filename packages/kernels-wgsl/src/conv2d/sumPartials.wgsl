// y[i] = Σ_k  partial[k, i],   in blocks of ascending k
//
// The second pass of a split sum: one invocation for WIDTH neighbours, so that the order is always the same.
//
//   partial  [splits, length]     y  [length]
//   dispatch  (min(ceil(length / WIDTH / THREADS), 65535), 1, 1)

alias Elem = f32;
alias Vec = f32;          // WIDTH elements: vec4f
alias StoredVec = Elem;   // vec4<Elem>
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
const BLOCK: u32 = 32;    // partial sums that are added in sequence

struct Params { length: u32, splits: u32 }

@group(0) @binding(0) var<storage, read> partial: array<Vec>;
@group(0) @binding(1) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let length = p.length / WIDTH;
  for (var i = id.x; i < length; i += grid.x * THREADS) {
    var sum = Vec();
    for (var start = 0u; start < p.splits; start += BLOCK) {
      var blockSum = Vec();
      for (var k = start; k < min(start + BLOCK, p.splits); k++) { blockSum += partial[k * length + i]; }
      sum += blockSum;
    }
    y[i] = StoredVec(sum);
  }
}
