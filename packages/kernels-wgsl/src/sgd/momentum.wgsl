// g = dw + weightDecay · w;   m = momentum · m + g;   w −= lr · m
//
// Stochastic gradient descent with a heavy ball, in place; with NESTEROV, w −= lr · (g + momentum · m).
// Grid-stride, WIDTH elements at a time.
//
//   dw  dense, `length` elements     w m  the same; m is 0 before the first step
//   unscale  1 element, or anything where `factor` does not look at it
//   dispatch  enough to stride over length / WIDTH, at most (65535, 1, 1)

const NESTEROV: bool = false;
alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
// Factor of dw: 1, or unscale[0]. If it is 0, nothing changes.
fn factor() -> f32 { return 1.0; }

struct Params { length: u32, lr: f32, momentum: f32, weightDecay: f32 }

@group(0) @binding(0) var<storage, read> dw: array<Vec>;
@group(0) @binding(1) var<storage, read> unscale: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<Vec>;
@group(0) @binding(3) var<storage, read_write> m: array<Vec>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let by = factor();
  if (by == 0.0) { return; }
  for (var i = id.x; i < p.length / WIDTH; i += grid.x * THREADS) {
    let before = w[i];
    let g = by * dw[i] + p.weightDecay * before;
    let velocity = p.momentum * m[i] + g;
    m[i] = velocity;
    w[i] = before - p.lr * select(velocity, g + p.momentum * velocity, NESTEROV);
  }
}
