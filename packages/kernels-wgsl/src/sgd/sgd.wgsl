// g = dw + weightDecay · w;   w −= lr · g
//
// Plain stochastic gradient descent, in place. Grid-stride, one element at a time.
//
//   dw  dense, `length` elements     w  the same
//   dispatch  (min(ceil(length / THREADS), 65535), 1, 1)

const THREADS: u32 = 256;

struct Params { length: u32, lr: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<f32>;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length; i += groups.x * THREADS) {
    w[i] -= p.lr * (dw[i] + p.weightDecay * w[i]);
  }
}
