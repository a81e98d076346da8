// unscale = min(1, most / norm) / scale, with norm = √squares / scale; or 0 where `squares` is not finite
// scale = scale / 2 in that case, and 2 · scale after `interval` steps in which it was
//
// Dynamic loss scaling, and clipping by the norm of all gradients. One invocation.
//
//   squares  1 element, the sum of the squares of all gradients, which are times `scale`
//   unscale  1 element     scale  1 element     good  1 element: steps since `scale` was changed
//   dispatch  (1, 1, 1)

const LEAST: f32 = 0x1p-24f;
const MOST: f32 = 0x1p24f;

struct Params { interval: u32, most: f32 }

@group(0) @binding(0) var<storage, read> squares: array<f32>;
@group(0) @binding(1) var<storage, read_write> unscale: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> good: array<i32>;
@group(0) @binding(4) var<uniform> p: Params;

@compute @workgroup_size(1)
fn main() {
  let before = scale[0];
  // By its bits: of a comparison with infinity a compiler may think that it is never so.
  if ((bitcast<u32>(squares[0]) & 0x7f800000) == 0x7f800000) {
    unscale[0] = 0;
    scale[0] = max(before / 2, LEAST);    // no NaN: the scale never is
    good[0] = 0;
    return;
  }
  let norm = sqrt(squares[0]) / before;
  unscale[0] = min(1.0, p.most / (norm + 1e-6)) / before;    // no NaN: the norm is finite here
  let grows = good[0] + 1 >= i32(p.interval);
  scale[0] = select(before, min(2 * before, MOST), grows);    // no NaN: the scale never is
  good[0] = select(good[0] + 1, 0, grows);
}
