// y[n, row, col, c] = Σ over r, s of  x[n, h, v, c] / count,   h = row·stride + r − pad,  v likewise
//
// Padding is 0; the hole COUNT_PAD says if `count` contains it. An invocation
// computes WIDTH channels of STRIP pixels beside each other.
//
//   x  [N, H, W, C]     y  [N, P, Q, C]
//   dispatch  spread(ceil(N · P · ceil(Q / STRIP) · C / WIDTH / THREADS))

alias Elem = f32;
const COUNT_PAD: bool = true;
const THREADS: u32 = 64;
const STRIP: u32 = 8;
const WIDTH: u32 = 1;
alias Vec = f32;         // WIDTH values
alias StoredVec = Elem;  // WIDTH elements

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
@group(0) @binding(2) var<uniform> p: Params;

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
  for (var col = first; col < min(first + STRIP, p.Q); col++) {
    let left = col * p.strideCols - p.padLeft;
    let to = (line * p.Q + col) * columns + c;
    var sum = Vec();
    var count = 0u;
    for (var r = 0u; r < p.R; r++) {
      let h = top + r * p.dilationRows;
      if (h >= p.H) { continue; }
      var rowSum = Vec();
      for (var s = 0u; s < p.S; s++) {
        let v = left + s * p.dilationCols;
        if (v >= p.W) { continue; }
        rowSum += Vec(x[image + (h * p.W + v) * columns]);
        count++;
      }
      sum += rowSum;
    }
    if (COUNT_PAD) { count = p.R * p.S; }
    y[to] = StoredVec(sum / f32(count));
  }
}
