// y[n, row, col, c] = max over r, s of  x[n, h, v, c],   h = row·stride + r·dilation − pad,  v likewise,
// over pixels in the image alone; a NaN is larger than anything
// index[n, row, col, c] = h·W + v of the first such x, row by row: where the gradient goes
// For a window that meets no pixel, −∞ and H·W, which is none.
//
// An invocation computes WIDTH channels of STRIP pixels beside each other.
//
//   x  [N, H, W, C]     y index  [N, P, Q, C]
//   dispatch  spread(ceil(N · P · ceil(Q / STRIP) · C / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const STRIP: u32 = 8;
const WIDTH: u32 = 1;
alias Vec = f32;           // WIDTH values
alias Bits = u32;          // those of WIDTH values; WIDTH indices
alias StoredVec = Elem;    // WIDTH elements

// = poolParams
struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
}
// = end

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(2) var<storage, read_write> index: array<Bits>;
@group(0) @binding(3) var<uniform> p: Params;

fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }

// = stripOfOutputs
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let strips = (p.Q + STRIP - 1) / STRIP;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.N * p.P * strips * columns) { return; }
  // A division costs a software rasteriser as much as a dozen multiplications.
  let strip = at / columns;
  let c = at - strip * columns;
  let line = strip / strips;
  let first = (strip - line * strips) * STRIP;
  let n = line / p.P;
// = end
  // Above and left of the image these wrap to huge numbers, so that one `<` tests both edges.
  let top = (line - n * p.P) * p.strideRows - p.padTop;
  let image = n * p.H * p.W * columns + c;
  let minusInfinity = Bits(0xff800000u);    // which WGSL has no constant for
  for (var col = first; col < min(first + STRIP, p.Q); col++) {
    let left = col * p.strideCols - p.padLeft;
    let to = (line * p.Q + col) * columns + c;
    var best = bitcast<Vec>(minusInfinity);
    var bestAt = Bits(p.H * p.W);
    var empty = true;
    for (var r = 0u; r < p.R; r++) {
      let h = top + r * p.dilationRows;
      if (h >= p.H) { continue; }
      for (var s = 0u; s < p.S; s++) {
        let v = left + s * p.dilationCols;
        if (v >= p.W) { continue; }
        let pixel = h * p.W + v;
        let value = Vec(x[image + pixel * columns]);
        // By the bits: a compiler may take x != x for false. The last NaN wins, as in PyTorch.
        let isNan = magnitude(value) > Bits(0x7f800000u);
        let better = isNan | ((value > best) & !(magnitude(best) > Bits(0x7f800000u)));
        best = select(select(best, value, better), value, empty);
        bestAt = select(select(bestAt, Bits(pixel), better), Bits(pixel), empty);
        empty = false;
      }
    }
    y[to] = StoredVec(best);
    index[to] = bestAt;
  }
}
