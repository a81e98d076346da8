// y[yOffset + Σ k·yStride] = x[xOffset + Σ k·xStride]   for every position k in `shape`
//
// As stridedCopy.wgsl, four neighbours along the last axis at a time: there both arrays have them side by
// side, and its length, both offsets and all other strides are multiples of 4.
//
//   x y   as large as the strides reach; what y has between the positions stays
//   dispatch  (min(ceil(length / 4 / THREADS), 512), 1, 1)

alias Elem = f32;
const THREADS: u32 = 256;
const AXES: u32 = 8;      // that `shape` has at most: 2 or 8

// Axes from the last to the first, at most 8, the rest 1. Negative strides wrap, as u32 does.
// = stridedCopyParams
struct Params {
  shape0: vec4u, shape1: vec4u,
  x0: vec4u, x1: vec4u,
  y0: vec4u, y1: vec4u,
  length: u32, axes: u32,
  xOffset: u32, yOffset: u32,
}
// = end

@group(0) @binding(0) var<storage, read> x: array<vec4<Elem>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Elem>>;
@group(0) @binding(2) var<uniform> p: Params;

// Position of the elements from 4 · i along the last four axes, the last one counted in fours; the
// fourth counts on through the axes before it.
fn position(i: u32) -> vec4u {
  let side = p.shape0.x / 4;
  let rows = i / side;
  if (AXES == 2) { return vec4u(i % side, rows, 0, 0); }
  let planes = rows / p.shape0.y;
  return vec4u(i % side, rows % p.shape0.y, planes % p.shape0.z, planes / p.shape0.z);
}

// Positions add up like digits: no division in the loop.
fn moved(k: vec4u, by: vec4u) -> vec4u {
  let side = vec3u(p.shape0.x / 4, p.shape0.yz);
  var to = k + by;
  if (to.x >= side.x) { to.x -= side.x; to.y++; }
  if (AXES > 2 && to.y >= side.y) { to.y -= side.y; to.z++; }
  if (AXES > 2 && to.z >= side.z) { to.z -= side.z; to.w++; }
  return to;
}

// Places of the elements of x and y for position k.
fn offsets(k: vec4u) -> vec2u {
  var at = vec2u(p.xOffset, p.yOffset) + vec2u(4 * k.x) + k.y * vec2u(p.x0.y, p.y0.y);
  // = offsetsOfOuterAxes
  if (AXES > 2) { at += k.z * vec2u(p.x0.z, p.y0.z); }
  if (AXES > 2 && p.axes == 4) { at += k.w * vec2u(p.x0.w, p.y0.w); }
  if (AXES > 2 && p.axes > 4) {
    at += k.w % p.shape0.w * vec2u(p.x0.w, p.y0.w);
    var rest = k.w / p.shape0.w;
    for (var j = 0u; j < 4; j++) {
      at += rest % p.shape1[j] * vec2u(p.x1[j], p.y1[j]);
      rest /= p.shape1[j];
    }
  }
  return at;
}
  // = end

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let stride = grid.x * THREADS;
  let by = position(stride);
  var k = position(id.x);
  for (var i = id.x; i < p.length / 4; i += stride) {
    let at = offsets(k);
    y[at.y / 4] = x[at.x / 4];
    k = moved(k, by);
  }
}
