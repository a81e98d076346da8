// dgamma[c] = Σ partial[s, 0, c],   dbeta[c] = Σ partial[s, 1, c]
//
// And in one buffer all that `inputGrad` needs for a channel, with scale = gamma / √(variance + eps):
//   mean,  scale,  scale · dgamma / √(variance + eps) / M,  scale · dbeta / M
//
//   partial  [splits, 2, C]     mean variance gamma dgamma dbeta  [C]     vectors  [4, C]
//   dispatch  (ceil(C / THREADS), 1, 1): an invocation finishes one channel

const THREADS: u32 = 64;

struct Params { M: u32, C: u32, splits: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read_write> dgamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbeta: array<f32>;
@group(0) @binding(6) var<storage, read_write> vectors: array<f32>;
@group(0) @binding(7) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= p.C) { return; }
  var sum = vec2f();
  for (var s = 0u; s < p.splits; s++) {
    sum += vec2f(partial[2 * s * p.C + c], partial[(2 * s + 1) * p.C + c]);
  }
  dgamma[c] = sum.x;
  dbeta[c] = sum.y;
  let rstd = inverseSqrt(variance[c] + p.eps);
  let scale = gamma[c] * rstd;
  vectors[c] = mean[c];
  vectors[p.C + c] = scale;
  vectors[2 * p.C + c] = scale * rstd * sum.x / f32(p.M);
  vectors[3 * p.C + c] = scale * sum.y / f32(p.M);
}
