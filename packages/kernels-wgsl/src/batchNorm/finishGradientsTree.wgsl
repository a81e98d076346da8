// dgamma[c] = Σ partial[s, 0, c],   dbeta[c] = Σ partial[s, 1, c]
//
// Both once more in one buffer, so that `inputGrad` stays within 8 buffers.
//
//   partial  [splits, 2, C]     dgamma dbeta  [C]     sums  [2, C]
//   dispatch  spread(2 · C): a workgroup finishes one of the two for one channel

const THREADS: u32 = 128;

struct Params { C: u32, splits: u32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(2) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> values: array<f32, THREADS>;

// The sum over the workgroup, for each of its invocations.
fn total(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = group.y * groups.x + group.x;
  if (c >= 2 * p.C) { return; }
  var sum = 0.0;
  for (var s = thread; s < p.splits; s += THREADS) { sum += partial[2 * s * p.C + c]; }
  sum = total(thread, sum);
  if (thread == 0) {
    sums[c] = sum;
    if (c < p.C) { dgamma[c] = sum; } else { dbeta[c - p.C] = sum; }
  }
}
