// y[k] = x[xOffset + Σ j·xStride]   where each axis has a whole j = (k − low) / step, 0 ≤ j < count; elsewhere `value`
//
// Elements of x in a window of y, at every `step`-th place along each axis. Grid-stride over y, WIDTH neighbours along the
// last axis at a time: there y and x have them side by side, inside or outside together.
//
//   x  as large as the strides reach     y  dense, `length` elements
//   dispatch  (min(ceil(length / WIDTH / THREADS), 512), 1, 1)

alias Elem = f32;
alias Scalar = f32;       // type of `value`: f32, i32 or u32
alias Vec = Elem;         // WIDTH elements
const WIDTH: u32 = 1;
const THREADS: u32 = 256;

// Axes from the last to the first, at most 8; one that is not there has shape, step and count 1. Negative strides wrap.
struct Params {
  shape0: vec4u, shape1: vec4u,
  low0: vec4u, low1: vec4u,
  step0: vec4u, step1: vec4u,
  count0: vec4u, count1: vec4u,
  x0: vec4u, x1: vec4u,
  length: u32, axes: u32,
  xOffset: u32, value: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read_write> y: array<Vec>;
@group(0) @binding(2) var<uniform> p: Params;

// Position of the elements from WIDTH · i along the last four axes, the last one counted in WIDTHs; the fourth counts on through
// the axes before it.
fn position(i: u32) -> vec4u {
  let side = p.shape0.x / WIDTH;
  let rows = i / side;
  let planes = rows / p.shape0.y;
  return vec4u(i % side, rows % p.shape0.y, planes % p.shape0.z, planes / p.shape0.z);
}

// Positions add up like digits: no division in the loop.
fn moved(k: vec4u, by: vec4u) -> vec4u {
  let side = vec3u(p.shape0.x / WIDTH, p.shape0.yz);
  var to = k + by;
  if (to.x >= side.x) { to.x -= side.x; to.y++; }
  if (to.y >= side.y) { to.y -= side.y; to.z++; }
  if (to.z >= side.z) { to.z -= side.z; to.w++; }
  return to;
}

// Place in x of what belongs to position k of four axes, and 1 if there is none.
fn place(k: vec4u, low: vec4u, step: vec4u, count: vec4u, strides: vec4u) -> vec2u {
  // A position below `low` wraps, beyond every count.
  var j = k - low;
  // One between two steps is put there.
  if (any(step > vec4u(2))) { j = select(vec4u(~0u), j / step, j % step == vec4u()); }    // no NaN: integers
  // Steps of 1 and 2, which are most, without a division.
  else { j = select(vec4u(~0u), j >> (step - 1), (j & (step - 1)) == vec4u()); }    // no NaN: integers
  return vec2u(dot(j, strides), u32(any(j >= count)));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let stride = grid.x * THREADS;
  let by = position(stride);
  var next = position(id.x);
  for (var i = id.x; i < p.length / WIDTH; i += stride) {
    var k = vec4u(next.x * WIDTH, next.yzw);
    var at = vec2u(p.xOffset, 0);
    if (p.axes > 4) {
      var others = vec4u();
      var rest = k.w / p.shape0.w;
      k.w %= p.shape0.w;
      for (var j = 0u; j < 4; j++) {
        others[j] = rest % p.shape1[j];
        rest /= p.shape1[j];
      }
      at += place(others, p.low1, p.step1, p.count1, p.x1);
    }
    at += place(k, p.low0, p.step0, p.count0, p.x0);
    var value = Vec(Elem(bitcast<Scalar>(p.value)));
    if (at.y == 0) { value = x[at.x / WIDTH]; }
    y[i] = value;
    next = moved(next, by);
  }
}
