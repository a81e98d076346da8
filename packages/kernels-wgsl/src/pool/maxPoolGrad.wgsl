// dx[n, h, v, c] = Σ dy[n, p, q, c] over the p, q whose window has its maximum here
//
// An invocation gathers for LANES channels of one pixel of x: at most ⌈R / stride⌉ · ⌈S / stride⌉ terms,
// in the same order every time.
//
//   dy index  [N, P, Q, C]     dx  [N, H, W, C]
//   dispatch  spread(ceil(N · H · W · C / LANES / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const LANES: u32 = 1;
alias Value = f32;        // LANES values
alias Bits = u32;         // LANES indices
alias Stored = Elem;      // LANES elements

struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Stored>;
@group(0) @binding(1) var<storage, read> index: array<Bits>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(3) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / LANES;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= p.N * p.H * p.W * columns) { return; }
  let pixel = at / columns;
  let v = pixel % p.W + p.padLeft;
  let h = pixel / p.W % p.H + p.padTop;
  let n = pixel / p.W / p.H;
  let image = n * p.P * p.Q * columns + at % columns;
  // Of the windows that may contain this pixel, the first row and column, and those after the last.
  let rows = (p.R - 1) * p.dilationRows + 1;
  let cols = (p.S - 1) * p.dilationCols + 1;
  let p0 = select(0, (h - rows) / p.strideRows + 1, h >= rows);
  let q0 = select(0, (v - cols) / p.strideCols + 1, v >= cols);
  let p1 = min(h / p.strideRows + 1, p.P);
  let q1 = min(v / p.strideCols + 1, p.Q);

  let here = Bits((h - p.padTop) * p.W + v - p.padLeft);
  var sum = Value();
  for (var row = p0; row < p1; row++) {
    for (var col = q0; col < q1; col++) {
      let i = image + (row * p.Q + col) * columns;
      sum += select(Value(), Value(dy[i]), index[i] == here);
    }
  }
  dx[at] = Stored(sum);
}
