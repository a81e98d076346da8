// g = dw + l2 · w;   m = beta1 · m + rest1 · g;   v = beta2 · v + rest2 · g²
// w −= shrink · w;   w −= stepSize · m / (√v · spread + eps)
//
// Adam, and with `shrink` in place of `l2` AdamW, in place. Grid-stride, WIDTH elements at a time.
// 1 − β and the bias corrections come from outside: 1 − 0.999 in float32 is off by 5e-5.
//
//   dw  dense, `length` elements     w m v  the same; m and v are 0 before the first step
//   unscale  1 element, or anything where `factor` does not look at it
//   dispatch  enough to stride over length / WIDTH, at most (65535, 1, 1)

alias Vec = f32;        // what a load takes: f32, or vec4f where 4 divides the length
const WIDTH: u32 = 1;
const THREADS: u32 = 64;
// Factor of dw: 1, or unscale[0]. If it is 0, nothing changes.
fn factor() -> f32 { return 1.0; }

struct Params {
  length: u32,
  beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  stepSize: f32, spread: f32, eps: f32,
  l2: f32, shrink: f32,
}

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
    let first = p.beta1 * m[i] + p.rest1 * g;
    let second = p.beta2 * v[i] + p.rest2 * g * g;
    m[i] = first;
    v[i] = second;
    w[i] = before - p.shrink * before - p.stepSize * first / (sqrt(second) * p.spread + p.eps);
  }
}
