// dgamma[c] = Σ partial[s, 0, c],   dbeta[c] = Σ partial[s, 1, c]
//
// Both once more in one buffer, so that `inputGrad` stays within 8 buffers.
//
//   partial  [splits, 2, C]     dgamma dbeta  [C]     sums  [2, C]
//   dispatch  (ceil(2 · C / THREADS), 1, 1): an invocation finishes one of the two for one channel

const THREADS: u32 = 64;

struct Params { C: u32, splits: u32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= 2 * p.C) { return; }
  var sum = 0.0;
  for (var s = 0u; s < p.splits; s++) { sum += partial[2 * s * p.C + id.x]; }
  sums[id.x] = sum;
  if (id.x < p.C) { dgamma[id.x] = sum; } else { dbeta[id.x - p.C] = sum; }
}
