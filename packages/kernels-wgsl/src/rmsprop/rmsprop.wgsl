// g = dw + l2 · w;   v = alpha · v + rest · g²
// m = momentum · m + g / (√v + eps);   w −= lr · m
//
// RMSprop, in place. Grid-stride, WIDTH elements at a time.
// 1 − alpha comes from outside: 1 − 0.99 in float32 is off by 1e-6.
//
//   dw  dense, `length` elements     w m v  the same; m and v are 0 before the first step
//   unscale  1 element, or anything where `factor` does not look at it
//   dispatch  enough to stride over length / WIDTH, at most (65535, 1, 1)

alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
// The factor of dw: 1, or unscale[0]. Where that is 0, everything stays as it is.
fn factor() -> f32 { return 1.0; }

struct Params { length: u32, lr: f32, alpha: f32, rest: f32, eps: f32, momentum: f32, l2: f32 }

// = momentsOfSteps
@group(0) @binding(0) var<storage, read> dw: array<Vec>;
@group(0) @binding(1) var<storage, read> unscale: array<f32>;
@group(0) @binding(2) var<storage, read_write> w: array<Vec>;
@group(0) @binding(3) var<storage, read_write> m: array<Vec>;
@group(0) @binding(4) var<storage, read_write> v: array<Vec>;
@group(0) @binding(5) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let by = factor();
  if (by == 0.0) { return; }
  for (var i = id.x; i < p.length / WIDTH; i += grid.x * THREADS) {
    let before = w[i];
    let g = by * dw[i] + p.l2 * before;
// = end
    let square = p.alpha * v[i] + p.rest * g * g;
    let step = p.momentum * m[i] + g / (sqrt(square) + p.eps);
    v[i] = square;
    m[i] = step;
    w[i] = before - p.lr * step;
  }
}
