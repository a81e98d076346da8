// g = dw + weightDecay · w;   w −= lr · g
//
// Plain stochastic gradient descent, in place. Grid-stride, LANES elements at a time.
//
//   dw  dense, `length` elements     w  the same
//   dispatch  enough to stride over length / LANES, at most (65535, 1, 1)

alias Value = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const LANES: u32 = 1;
const THREADS: u32 = 256;

struct Params { length: u32, lr: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<Value>;
@group(0) @binding(1) var<storage, read_write> w: array<Value>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length / LANES; i += groups.x * THREADS) {
    w[i] -= p.lr * (dw[i] + p.weightDecay * w[i]);
  }
}
