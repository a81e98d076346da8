// mean[c] = Σ n[s] · mean[s, c] / M,   variance[c] = Σ (m2[s, c] + n[s] · (mean[s, c] − mean[c])²) / M
// running = (1 − momentum) · running + momentum · batch, where the variance is divided by M − 1
//
// Chunk s has n[s] rows: `chunk`, the last one the rest. A workgroup finishes one channel.
//
// Chunks are combined as by Chan, Golub & LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979.
//
//   partial  [splits, 2, C]: mean[s, c] − x[0, c], m2     x  [M, C]     mean variance runningMean runningVar  [C]
//   batches  1 element, counts the batches that the running statistics have seen
//   dispatch  spread(C)

alias Elem = f32;
const THREADS: u32 = 128;
const TRACK: bool = true;    // otherwise the running statistics are left alone

struct Params { M: u32, C: u32, splits: u32, chunk: u32, momentum: f32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<Elem>;
@group(0) @binding(2) var<storage, read_write> mean: array<f32>;
@group(0) @binding(3) var<storage, read_write> variance: array<f32>;
@group(0) @binding(4) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(5) var<storage, read_write> runningVar: array<f32>;
@group(0) @binding(6) var<storage, read_write> batches: array<i32>;
@group(0) @binding(7) var<uniform> p: Params;

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
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = wg.y * grid.x + wg.x;
  if (c >= p.C) { return; }
  var sum = 0.0;
  for (var s = thread; s < p.splits; s += THREADS) {
    sum += partial[2 * s * p.C + c] * f32(min(p.chunk, p.M - s * p.chunk));
  }
  let offset = total(thread, sum) / f32(p.M);
  var m2 = 0.0;
  for (var s = thread; s < p.splits; s += THREADS) {
    let d = partial[2 * s * p.C + c] - offset;
    m2 += partial[(2 * s + 1) * p.C + c] + d * d * f32(min(p.chunk, p.M - s * p.chunk));
  }
  m2 = total(thread, m2);
  if (thread == 0) {
    let batchMean = f32(x[c]) + offset;
    mean[c] = batchMean;
    variance[c] = m2 / f32(p.M);
    if (TRACK) {
      runningMean[c] += p.momentum * (batchMean - runningMean[c]);
      runningVar[c] += p.momentum * (m2 / f32(p.M - 1) - runningVar[c]);
      if (c == 0) { batches[0] += 1; }
    }
  }
}
