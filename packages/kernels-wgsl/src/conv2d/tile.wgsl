// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o])
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// For GPUs: a workgroup computes TILE_M rows m = (n·P + row)·Q + col by TILE_N columns o of one group, each thread
// ROWS × COLS of them in registers, over k = (r·S + s)·C/groups + c. Slices of TILE_K pass through workgroup
// memory in vec4; the next one is fetched into registers while this one is multiplied. With SPLIT, the
// workgroups of one z sum one split of k each, for a second launch to add up.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]     C / groups and O / groups multiples of 4
//   y  [N, P, Q, O], with SPLIT [splits, N, P, Q, O] of f32 sums without epilogue
//   dispatch  ceil(N·P·Q / TILE_M) · groups · ceil(O / groups / TILE_N) spread over x and y, × splits

alias Elem = f32;
alias Out = Elem;
const SPLIT: bool = false;
// = tile
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const ROWS: u32 = 4;                              // 4 or 8
const COLS: u32 = 4;                              // 4 or 8
const ACROSS = TILE_N / COLS;                     // threads along a row of the tile
const DOWN = TILE_M / ROWS;
const THREADS = ACROSS * DOWN;
const X_ROW = TILE_K / 4;                         // vec4 in a row of a slice
const W_ROW = TILE_N / 4;
const X_LOADS = TILE_M * X_ROW / THREADS;         // vec4 that a thread fetches of a slice: at most 4
const W_LOADS = TILE_K * W_ROW / THREADS;
const X_STEP = THREADS / X_ROW;                   // rows from one of them to the next
const W_STEP = THREADS / W_ROW;
const BEYOND: u32 = 0x40000000;                   // a row that is outside of every image
// = end

// Applied to each result before it is stored: four values, the first for y[at], in `channel`. e0 and e1 hold operands of
// y's shape, or one value a channel.
// = epilogueOfVec4
alias Vec = vec4f;
alias Bits = vec4u;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at / 4]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at / 4]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel / 4]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel / 4]); }
// = end

// = convolutionParams
struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32, O: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
  groups: u32,
// = end
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Elem>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<Elem>>;
@group(0) @binding(2) var<storage, read> e0: array<vec4<E0>>;
@group(0) @binding(3) var<storage, read> e1: array<vec4<E1>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Out>>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> xSlice: array<vec4f, TILE_M * X_ROW>;    // [row, k / 4]
var<workgroup> wSlice: array<vec4f, TILE_K * W_ROW>;    // [k, column / 4]

// = windowOf
// Top and left of the window of row m, and where its first vec4 is. Above and left of the image these wrap to a
// huge u32, so that one `<` tests both edges.
fn windowOf(m: u32, g: u32) -> vec3u {
  let top = select(m / p.Q % p.P * p.strideRows - p.padTop, BEYOND, m >= p.N * p.P * p.Q);
  let left = m % p.Q * p.strideCols - p.padLeft;
  let first = ((m / (p.P * p.Q) * p.H + top) * p.W + left) * (p.C / 4) + g * (p.C / p.groups / 4);
  return vec3u(top, left, first);
}
// = end

// = fetchesOfForward
// tap: rows and columns from a window's first pixel, and vec4 from its first.
fn fetchX(window: vec3u, tap: vec3u) -> vec4f {
  if (window.x + tap.x < p.H && window.y + tap.y < p.W) { return vec4f(x[window.z + tap.z]); }
  return vec4f();
}

fn fetchW(at: u32, isInside: bool) -> vec4f {
  if (isInside) { return vec4f(w[at]); }
  return vec4f();
}
// = end

// = addFour
// Four rows by four columns of sums, each row a column of the matrix, gain four k: a holds a row's k in each of
// its columns, b a k's columns.
fn add(sum: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(addRow(sum[0], a[0], b), addRow(sum[1], a[1], b), addRow(sum[2], a[2], b), addRow(sum[3], a[3], b));
}

fn addRow(sum: vec4f, a: vec4f, b: mat4x4f) -> vec4f {
  return fma(vec4f(a.w), b[3], fma(vec4f(a.z), b[2], fma(vec4f(a.y), b[1], fma(vec4f(a.x), b[0], sum))));
}
// = end

// = rowsOfX
// Four rows of xSlice, DOWN apart, at four k.
fn rowsAt(at: u32) -> mat4x4f {
  return mat4x4f(xSlice[at], xSlice[at + DOWN * X_ROW], xSlice[at + 2 * DOWN * X_ROW], xSlice[at + 3 * DOWN * X_ROW]);
}
// = end

// = columnsOfW
// Four columns of wSlice at four k.
fn columnsAt(at: u32) -> mat4x4f {
  return mat4x4f(wSlice[at], wSlice[at + W_ROW], wSlice[at + 2 * W_ROW], wSlice[at + 3 * W_ROW]);
}
// = end

// = tileOfForward
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let K = p.R * p.S * channels;
  let tilesAcross = (outputs + TILE_N - 1) / TILE_N;
  let tile = wg.y * grid.x + wg.x;
  let column0 = tile % tilesAcross * TILE_N;
  let g = tile / tilesAcross % p.groups;
  let m0 = tile / (tilesAcross * p.groups) * TILE_M;
  if (m0 >= p.N * p.P * p.Q) { return; }
  let perSplit = ((K + TILE_K - 1) / TILE_K + grid.z - 1) / grid.z * TILE_K;
  let begin = min(wg.z * perSplit, K);
  let end = min(begin + perSplit, K);

  // A thread fetches the same four k of each of its rows, and the same four columns of each of its k.
  let row = m0 + thread / X_ROW;
  let window0 = windowOf(row, g);
  let window1 = windowOf(row + X_STEP, g);
  let window2 = windowOf(row + 2 * X_STEP, g);
  let window3 = windowOf(row + 3 * X_STEP, g);
  // k = (r·S + s)·C/groups + c is walked: divisions at each fetch would cost a quarter of the time.
  var k = begin + thread % X_ROW * 4;
  var c = k % channels;
  var s = k / channels % p.S;
  var r = k / channels / p.S;
  var wK = begin + thread / W_ROW;
  let column = column0 + thread % W_ROW * 4;
  let wColumn = (g * outputs + column) / 4;
  let isColumn = column < outputs;
  let wStride = p.O / 4;
// = end

  // = storeSlices
  let tx = thread % ACROSS;    // computes columns 4·tx … + 3, and those 4·ACROSS further right,
  let ty = thread / ACROSS;    // of rows ty, ty + DOWN, …
  // Names, not an array: they are sure to stay in registers.
  var sum00 = mat4x4f(); var sum01 = mat4x4f();
  var sum10 = mat4x4f(); var sum11 = mat4x4f();
  var x0 = vec4f(); var x1 = vec4f(); var x2 = vec4f(); var x3 = vec4f();
  var w0 = vec4f(); var w1 = vec4f(); var w2 = vec4f(); var w3 = vec4f();

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > begin) {    // the loads of the turn before have arrived
      workgroupBarrier();
      xSlice[thread] = x0;
      if (X_LOADS > 1) { xSlice[thread + THREADS] = x1; }
      if (X_LOADS > 2) { xSlice[thread + 2 * THREADS] = x2; xSlice[thread + 3 * THREADS] = x3; }
      wSlice[thread] = w0;
      if (W_LOADS > 1) { wSlice[thread + THREADS] = w1; }
      if (W_LOADS > 2) { wSlice[thread + 2 * THREADS] = w2; wSlice[thread + 3 * THREADS] = w3; }
      workgroupBarrier();
    }
  // = end
    // = fetchSlices
    if (k0 < end) {
      let dr = select(r * p.dilationRows, BEYOND, k >= K);
      let ds = s * p.dilationCols;
      let tap = vec3u(dr, ds, (dr * p.W + ds) * (p.C / 4) + c / 4);
      x0 = fetchX(window0, tap);
      if (X_LOADS > 1) { x1 = fetchX(window1, tap); }
      if (X_LOADS > 2) { x2 = fetchX(window2, tap); x3 = fetchX(window3, tap); }
      let at = wK * wStride + wColumn;
      w0 = fetchW(at, isColumn && wK < K);
      if (W_LOADS > 1) { w1 = fetchW(at + W_STEP * wStride, isColumn && wK + W_STEP < K); }
      if (W_LOADS > 2) {
        w2 = fetchW(at + 2 * W_STEP * wStride, isColumn && wK + 2 * W_STEP < K);
        w3 = fetchW(at + 3 * W_STEP * wStride, isColumn && wK + 3 * W_STEP < K);
      }
      wK += TILE_K;
      k += TILE_K;
      c += TILE_K;
      while (c >= channels) {
        c -= channels;
        s += 1;
        if (s == p.S) { s = 0; r += 1; }
      }
    }
    if (k0 == begin) { continue; }
    // = end

    // = addSlices
    for (var four = 0u; four < X_ROW; four++) {    // of the slice's k
      let rowAt = ty * X_ROW + four;
      let columnAt = 4 * four * W_ROW + tx;
      let a0 = rowsAt(rowAt);
      let b0 = columnsAt(columnAt);
      sum00 = add(sum00, a0, b0);
      if (COLS == 8) { sum01 = add(sum01, a0, columnsAt(columnAt + ACROSS)); }
      if (ROWS == 8) {
        let a1 = rowsAt(rowAt + 4 * DOWN * X_ROW);
        sum10 = add(sum10, a1, b0);
        if (COLS == 8) { sum11 = add(sum11, a1, columnsAt(columnAt + ACROSS)); }
      }
    }
  }
    // = end

  let m = m0 + ty;
  let columnOut = column0 + 4 * tx;
  store(m, columnOut, g, wg.z, sum00);
  if (COLS == 8) { store(m, columnOut + 4 * ACROSS, g, wg.z, sum01); }
  if (ROWS == 8) { store(m + 4 * DOWN, columnOut, g, wg.z, sum10); }
  if (ROWS == 8 && COLS == 8) { store(m + 4 * DOWN, columnOut + 4 * ACROSS, g, wg.z, sum11); }
}

fn store(m: u32, column: u32, g: u32, split: u32, sum: mat4x4f) {
  storeRow(m, column, g, split, sum[0]);
  storeRow(m + DOWN, column, g, split, sum[1]);
  storeRow(m + 2 * DOWN, column, g, split, sum[2]);
  storeRow(m + 3 * DOWN, column, g, split, sum[3]);
}

fn storeRow(m: u32, column: u32, g: u32, split: u32, sum: vec4f) {
  let M = p.N * p.P * p.Q;
  let outputs = p.O / p.groups;
  if (m >= M || column >= outputs) { return; }
  let o = g * outputs + column;
  let at = (split * M + m) * p.O + o;
  if (SPLIT) { y[at / 4] = vec4<Out>(sum); } else { y[at / 4] = vec4<Out>(epilogue(sum, at, o)); }
}
