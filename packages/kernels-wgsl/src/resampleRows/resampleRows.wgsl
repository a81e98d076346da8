// y[i, e] = Σ_h share(h) · x[h − first, e]
//   share(h)  the part of row h in row top + i, where H rows become `to`: Pillow's bilinear filter
//
// A picture resized along its height, or any rows. When shrinking, the triangle of the filter
// widens, so that no row is passed over. Grid-stride over y; neighbouring invocations read neighbours.
//
//   x  [R, E], the rows from `first` on of a picture of H rows      y  [P, E]
//   dispatch  (min(ceil(P · E / THREADS), 65535), 1, 1)

alias Elem = f32;
const THREADS: u32 = 64;

struct Params { H: u32, to: u32, top: u32, first: u32, P: u32, E: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read_write> y: array<Elem>;
@group(0) @binding(2) var<uniform> p: Params;

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

@compute @workgroup_size(THREADS)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  for (var at = id.x; at < p.P * p.E; at += grid.x * THREADS) {
    let t = triangleAt(p.top + at / p.E, p.H, p.to);
    var sum = 0.0;
    var total = 0.0;
    for (var h = t.first; h < t.end; h++) {
      let part = share(h, t);
      sum += part * f32(x[(h - p.first) * p.E + at % p.E]);
      total += part;
    }
    y[at] = Elem(sum / total);
  }
}
