// y[i, j, c] = colours[3, c] + Σ_v share(v) · Σ_k over(first + i, v)[k] · colours[k, c]
//   over(h, v)  red, green and blue of a pixel over white, 0 … 255
//   share(v)    its part of pixel left + j, where W pixels become `to`: Pillow's bilinear filter
//
// Rows of a picture resized along their length, from the bytes of its pixels. When shrinking, the
// triangle of the filter widens, so that no pixel is passed over. A thread computes a pixel of y.
//
//   pixels  [H, S] words, red lowest, of which the first W of a row are the picture
//   colours [4, C], weights of red, green and blue, then a shift      y  [R, Q, C]
//   dispatch  (min(ceil(R · Q / THREADS), 65535), 1, 1)

alias Elem = f32;
// True where colours are already multiplied by alpha, as a browser's texture has them.
const PREMULTIPLIED: bool = true;
const THREADS: u32 = 64;

struct Params { W: u32, S: u32, to: u32, left: u32, first: u32, R: u32, Q: u32, C: u32 }

@group(0) @binding(0) var<storage, read> pixels: array<u32>;
@group(0) @binding(1) var<storage, read> colours: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<Elem>;
@group(0) @binding(3) var<uniform> p: Params;

// = triangle
struct Triangle { first: u32, end: u32, centre: f32, reach: f32 }

// The pixels of an axis of `side` that pixel `at` of an axis of `to` is made of.
fn triangleAt(at: u32, side: u32, to: u32) -> Triangle {
  let scale = f32(side) / f32(to);
  let reach = max(scale, 1.0); // no NaN: of sizes
  let centre = (f32(at) + 0.5) * scale;
  let first = u32(max(centre - reach + 0.5, 0.0)); // no NaN: of sizes
  let end = min(u32(centre + reach + 0.5), side);
  return Triangle(first, end, centre, reach);
}

fn share(at: u32, t: Triangle) -> f32 {
  return max(0.0, 1.0 - abs(f32(at) + 0.5 - t.centre) / t.reach); // no NaN: of sizes
}
// = end

// Red, green and blue of a pixel over white, whole numbers.
fn over(word: u32) -> vec3f {
  let rgb = vec3f(f32(word & 0xff), f32((word >> 8) & 0xff), f32((word >> 16) & 0xff));
  let alpha = f32(word >> 24);
  return select(round(rgb * (alpha / 255.0)), rgb, PREMULTIPLIED) + (255.0 - alpha);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var at = id.x; at < p.R * p.Q; at += grid.x * THREADS) {
    let row = (p.first + at / p.Q) * p.S;
    let t = triangleAt(p.left + at % p.Q, p.W, p.to);
    var sum = vec3f(0.0);
    var total = 0.0;
    for (var v = t.first; v < t.end; v++) {
      let part = share(v, t);
      sum += part * over(pixels[row + v]);
      total += part;
    }
    let rgb = sum / total;
    for (var c = 0u; c < p.C; c++) {
      let weights = vec3f(colours[c], colours[p.C + c], colours[2 * p.C + c]);
      y[at * p.C + c] = Elem(dot(rgb, weights) + colours[3 * p.C + c]);
    }
  }
}
