// y[i] = f(a[i], b[i], c[i])
//
// One kernel for every elementwise op of up to three operands: `f` is a hole. An operand that `f`
// does not use is bound to any buffer and never read. Grid-stride, so that one dispatch of at most
// 65,535 workgroups covers any length.
//
//   a b c   dense, or broadcast by the strides of `shape`      y  dense, `length` elements
//   dispatch  (min(ceil(length / THREADS), 65535), 1, 1)

alias A = f32;            // what the buffers hold
alias B = f32;
alias C = f32;
alias Y = f32;
alias V = f32;            // what `f` computes with
const THREADS: u32 = 256;
const BROADCAST: bool = false;    // otherwise all operands have the shape of y
fn f(a: V, b: V, c: V) -> V { return a + b; }

// The shape is y's, last axis first: up to 8 axes, the rest 1. A stride of 0 repeats the operand.
struct Params {
  shape0: vec4u, shape1: vec4u,
  a0: vec4u, a1: vec4u,
  b0: vec4u, b1: vec4u,
  c0: vec4u, c1: vec4u,
  length: u32,
}

@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read> c: array<C>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < p.length; i += groups.x * THREADS) {
    var at = vec3u(i);
    if (BROADCAST) {
      at = vec3u(0);
      var rest = i;
      for (var axis = 0u; axis < 4 && rest != 0; axis++) {
        let k = rest % p.shape0[axis];
        rest /= p.shape0[axis];
        at += k * vec3u(p.a0[axis], p.b0[axis], p.c0[axis]);
      }
      for (var axis = 0u; axis < 4 && rest != 0; axis++) {
        let k = rest % p.shape1[axis];
        rest /= p.shape1[axis];
        at += k * vec3u(p.a1[axis], p.b1[axis], p.c1[axis]);
      }
    }
    y[i] = Y(f(V(a[at.x]), V(b[at.y]), V(c[at.z])));
  }
}
