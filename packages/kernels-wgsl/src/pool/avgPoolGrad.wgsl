// dx[n, h, v, c] = Σ dy[n, row, col, c] / count[row, col] over the row, col whose window contains h, v
//
// An invocation gathers for WIDTH channels of STRIP pixels beside each other.
//
//   dy  [N, P, Q, C]     dx  [N, H, W, C]
//   dispatch  spread(ceil(N · H · ceil(W / STRIP) · C / WIDTH / THREADS))

alias Elem = f32;
const COUNT_PAD: bool = true;    // `count` is R·S; false: positions in the image alone
const THREADS: u32 = 64;
const STRIP: u32 = 8;
const WIDTH: u32 = 1;
alias Vec = f32;               // WIDTH values
alias StoredVec = Elem;        // WIDTH elements

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

@group(0) @binding(0) var<storage, read> dy: array<StoredVec>;
@group(0) @binding(1) var<storage, read_write> dx: array<StoredVec>;
@group(0) @binding(2) var<uniform> p: Params;

// Number of the `window` positions from `first` on, counted with the padding, that are in the image.
fn inside(first: u32, window: u32, pad: u32, side: u32) -> u32 {
  return min(first + window, pad + side) - max(first, pad);
}

// = stripOfPixels
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let strips = (p.W + STRIP - 1) / STRIP;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.N * p.H * strips * columns) { return; }
  // A division costs a software rasteriser as much as a dozen multiplications.
  let strip = at / columns;
  let c = at - strip * columns;
  let line = strip / strips;
  let first = (strip - line * strips) * STRIP;
  let n = line / p.H;
  let image = n * p.P * p.Q * columns + c;
  let rows = (p.R - 1) * p.dilationRows + 1;
  let cols = (p.S - 1) * p.dilationCols + 1;
  // First row and column of the windows that may contain the pixel, and the ones after the last.
  let bottom = line - n * p.H + p.padTop;
  let row0 = select(0, (bottom - rows) / p.strideRows + 1, bottom >= rows);
  let row1 = min(bottom / p.strideRows + 1, p.P);
  var right = first + p.padLeft;
  var col0 = select(0, (right - cols) / p.strideCols + 1, right >= cols);
  var col1 = min(right / p.strideCols + 1, p.Q);
  for (var v = first; v < min(first + STRIP, p.W); v++) {
// = end
    var sum = Vec();
    for (var row = row0; row < row1; row++) {
      var rowSum = Vec();
      for (var col = col0; col < col1; col++) {
        var count = p.R * p.S;
        if (!COUNT_PAD) {
          count = inside(row * p.strideRows, p.R, p.padTop, p.H) * inside(col * p.strideCols, p.S, p.padLeft, p.W);
        }
        rowSum += Vec(dy[image + (row * p.Q + col) * columns]) / f32(count);
      }
      sum += rowSum;
    }
    dx[(line * p.W + v) * columns + c] = StoredVec(sum);
    right++;
    if (col0 * p.strideCols + cols <= right) { col0++; }
    if (col1 < p.Q && col1 * p.strideCols <= right) { col1++; }
  }
}
