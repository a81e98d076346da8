// y[b, i, j, c] = byte[n, h, v, c] · scale[c] + shift[c],   (n, top, left, mirrored) = picks[b]
//   h = top + i,   v = left + j, or left + Q − 1 − j where the window is mirrored
//
// Windows of images that stay on the GPU as bytes, four to a word. Beyond an edge the image is
// reflected without repeating its border, as NumPy's "reflect", or y is 0. Grid-stride over y.
//
// The images lie in two buffers, since a data set may be larger than what an adapter binds.
//
//   images, more  [first, H, W, C] and [N − first, H, W, C] bytes, packed little-endian
//   picks  [B, 4]     colours  [2, C], scale then shift     y  [B, P, Q, C]
//   dispatch  (min(ceil(B · P · Q · C / THREADS), 65535), 1, 1)

alias Elem = f32;
const REFLECT: bool = false;
const THREADS: u32 = 256;

struct Params { B: u32, H: u32, W: u32, C: u32, P: u32, Q: u32, first: u32 }

@group(0) @binding(0) var<storage, read> images: array<u32>;
@group(0) @binding(1) var<storage, read> more: array<u32>;
@group(0) @binding(2) var<storage, read> picks: array<vec4i>;
@group(0) @binding(3) var<storage, read> colours: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

// Position `at` along an axis of `side`, reflected at either end.
fn reflected(at: i32, side: i32) -> i32 {
  let positive = abs(at);
  return select(positive, 2 * (side - 1) - positive, positive >= side);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let H = i32(p.H);
  let W = i32(p.W);
  for (var at = id.x; at < p.B * p.P * p.Q * p.C; at += grid.x * THREADS) {
    let c = at % p.C;
    let j = i32(at / p.C % p.Q);
    let i = i32(at / (p.C * p.Q) % p.P);
    let pick = picks[at / (p.C * p.Q * p.P)];
    var h = pick.y + i;
    var v = pick.z + select(j, i32(p.Q) - 1 - j, pick.w == 1);
    if (REFLECT) {
      h = reflected(h, H);
      v = reflected(v, W);
    }
    if (h < 0 || h >= H || v < 0 || v >= W) {
      y[at] = Elem(0);
    } else {
      let n = u32(pick.x);
      let isFirst = n < p.first;
      let place = ((select(n - p.first, n, isFirst) * p.H + u32(h)) * p.W + u32(v)) * p.C + c;
      var word: u32;
      if (isFirst) { word = images[place / 4]; } else { word = more[place / 4]; }
      let byte = (word >> (place % 4 * 8)) & 0xff;
      y[at] = Elem(f32(byte) * colours[c] + colours[p.C + c]);
    }
  }
}
