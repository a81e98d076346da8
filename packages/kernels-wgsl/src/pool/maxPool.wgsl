// y[n, row, col, c] = max over r, s of  x[n, h, v, c],   h = row·stride + r·dilation − pad,  v likewise,
// over pixels in the image alone; a NaN is larger than anything; −∞ where a window has no pixel
//
// An invocation computes WIDTH channels of STRIP pixels beside each other, column after column of
// their windows. Columns that two neighbouring windows have in common are looked through once.
//
//   x  [N, H, W, C]     y  [N, P, Q, C]
//   dispatch  spread(ceil(N · P · ceil(Q / STRIP) · C / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const STRIP: u32 = 16;
const WIDTH: u32 = 1;
alias Vec = f32;           // WIDTH values
alias Bits = u32;          // those of WIDTH values
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

  // Rows of the window from r0 to r1 are in the image.
  let down = (line - n * p.P) * p.strideRows;
  let r0 = (max(p.padTop, down) - down + p.dilationRows - 1) / p.dilationRows;
  let below = (max(p.padTop + p.H, down) - down + p.dilationRows - 1) / p.dilationRows;
  let r1 = max(r0, min(p.R, below));
  let width = p.W * columns;
  let image = n * p.H * width + c;
  let upper = image + (down + r0 * p.dilationRows - p.padTop) * width;
  let lower = image + (down + r1 * p.dilationRows - p.padTop) * width;
  let step = p.dilationRows * width;

  // From `own` on, the columns of a window are the next one's too.
  let own = select(p.S, p.strideCols, p.dilationCols == 1 && p.S <= 2 * p.strideCols);
  let minusInfinity = Bits(0xff800000u);    // which WGSL has no constant for
  let least = bitcast<Vec>(minusInfinity);
  var s = 0u;
  var best = least;
  var nan = Bits();    // of all values the largest bits, without signs: compilers take x != x for false
  for (var col = first; col < min(first + STRIP, p.Q); col++) {
    let left = col * p.strideCols - p.padLeft;
    var next = least;
    var nextNan = Bits();
    for (; s < p.S; s++) {
      let v = left + s * p.dilationCols;
      let end = select(0, lower + v * columns, v < p.W);
      var most = least;
      var mostNan = Bits();
      for (var i = upper + v * columns; i < end; i += step) {
        let value = Vec(x[i]);
        most = select(most, value, value > most);
        mostNan = max(mostNan, bitcast<Bits>(value) & Bits(0x7fffffffu));
      }
      best = select(best, most, most > best);
      nan = max(nan, mostNan);
      if (s >= own) {
        next = select(next, most, most > next);
        nextNan = max(nextNan, mostNan);
      }
    }
    y[(line * p.Q + col) * columns + c] = StoredVec(select(best, bitcast<Vec>(nan), nan > Bits(0x7f800000u)));
    best = next;
    nan = nextNan;
    s = p.S - min(own, p.S);
  }
}
