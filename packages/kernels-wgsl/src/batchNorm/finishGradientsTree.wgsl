// dgamma[c] = Σ partial[s, 0, c],   dbeta[c] = Σ partial[s, 1, c]
//
// And in one buffer all that `inputGrad` needs for a channel, with scale = gamma / √(variance + eps):
//   mean,  scale,  scale · dgamma / √(variance + eps) / M,  scale · dbeta / M
//
//   partial  [splits, 2, C]     mean variance gamma dgamma dbeta  [C]     vectors  [4, C]
//   dispatch  spread(C): a workgroup finishes one channel

const THREADS: u32 = 128;

struct Params { M: u32, C: u32, splits: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(7) var<uniform> p: Params;

var<workgroup> values: array<vec2f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = wg.y * grid.x + wg.x;
  if (c >= p.C) { return; }
  var sum = vec2f();
  for (var s = thread; s < p.splits; s += THREADS) {
    sum += vec2f(partial[2 * s * p.C + c], partial[(2 * s + 1) * p.C + c]);
  }
  values[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  if (thread > 0) { return; }
  sum = values[0];
  dgamma[c] = sum.x;
  dbeta[c] = sum.y;
  let rstd = inverseSqrt(variance[c] + p.eps);
  let scale = gamma[c] * rstd;
  vectors[c] = mean[c];
  vectors[p.C + c] = scale;
  vectors[2 * p.C + c] = scale * rstd * sum.x / f32(p.M);
  vectors[3 * p.C + c] = scale * sum.y / f32(p.M);
}
