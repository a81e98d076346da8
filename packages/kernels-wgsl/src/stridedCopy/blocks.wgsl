// y[yOffset + Σ k·yStride] = x[xOffset + Σ k·xStride]   for every position k in `shape`
//
// As stridedCopy.wgsl, where neighbours along the last axis are side by side in y, and along the axis before
// it in x: a transposition. An invocation turns a block of 4 × 4 in registers, so that both arrays
// are read and written by fours; a workgroup covers a TILE × TILE square of those two axes, whose
// lengths, both offsets and all other strides are multiples of 4.
//
//   x y   as large as the strides reach; what y has between the positions stays
//   dispatch  one workgroup for each tile, spread over x and y

alias Elem = f32;
const TILE: u32 = 32;
const SIDE = TILE / 4;

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

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(workgroup_id) wg: vec3u, @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) thread: vec3u,
) {
  let tiles = (p.shape0.xy + TILE - 1) / TILE;
  let tile = wg.y * grid.x + wg.x;
  var rest = tile / tiles.x / tiles.y;
  // Neighbouring invocations read neighbours of x, and write whole sectors of y.
  let i = tile % tiles.x * TILE + 4 * thread.y;
  let j = tile / tiles.x % tiles.y * TILE + 4 * thread.x;
  if (i >= p.shape0.x || j >= p.shape0.y) { return; }
  var at = vec2u(p.xOffset, p.yOffset) + i * vec2u(p.x0.x, 1) + j * vec2u(1, p.y0.y);
  for (var axis = 2u; axis < 4; axis++) {
    at += rest % p.shape0[axis] * vec2u(p.x0[axis], p.y0[axis]);
    rest /= p.shape0[axis];
  }
  for (var axis = 0u; axis < 4; axis++) {
    at += rest % p.shape1[axis] * vec2u(p.x1[axis], p.y1[axis]);
    rest /= p.shape1[axis];
  }
  // The tiles are spread over whole rows of workgroups: the last ones have nothing to do.
  if (rest > 0) { return; }
  at /= 4;
  let dx = p.x0.x / 4;
  let dy = p.y0.y / 4;
  let a = x[at.x];
  let b = x[at.x + dx];
  let c = x[at.x + 2 * dx];
  let d = x[at.x + 3 * dx];
  y[at.y] = vec4<Elem>(a.x, b.x, c.x, d.x);
  y[at.y + dy] = vec4<Elem>(a.y, b.y, c.y, d.y);
  y[at.y + 2 * dy] = vec4<Elem>(a.z, b.z, c.z, d.z);
  y[at.y + 3 * dy] = vec4<Elem>(a.w, b.w, c.w, d.w);
}
