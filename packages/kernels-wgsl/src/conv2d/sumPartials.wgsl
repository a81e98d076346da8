// y[i] = Σ_k  partial[k, i],   in blocks of ascending k
//
// The second pass of a split sum: one invocation per element, so that the order is always the same.
//
//   partial  [splits, length]     y  [length]
//   dispatch  (min(ceil(length / THREADS), 65535), 1, 1)

alias Elem = f32;
const THREADS: u32 = 64;
const BLOCK: u32 = 32;    // partial sums that are added in sequence

struct Params { length: u32, splits: u32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length; i += groups.x * THREADS) {
    var sum = 0.0;
    for (var start = 0u; start < p.splits; start += BLOCK) {
      var blockSum = 0.0;
      for (var k = start; k < min(start + BLOCK, p.splits); k++) { blockSum += partial[k * p.length + i]; }
      sum += blockSum;
    }
    y[i] = Elem(sum);
  }
}
