enable f16, subgroups, chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o]), on matrix units
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// tile.wgsl says how k is walked and split. A subgroup computes SUB_M × SUB_N of its workgroup's tile, in matrices of
// MATRIX_M × MATRIX_N sums in f32. Slices lie in workgroup memory as Part, to which f32 is rounded; a row is two
// vec4 longer than it needs to be, so that the rows of a matrix begin in different banks. Sums leave their matrices
// through workgroup memory, since the order of a matrix's elements is known there only.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]     C / groups and O / groups multiples of 4
//   y  [N, P, Q, O], with SPLIT [splits, N, P, Q, O] of f32 sums without epilogue
//   dispatch  ceil(N·P·Q / TILE_M) · groups · ceil(O / groups / TILE_N) spread over x and y, × splits

alias Elem = f32;
alias Out = Elem;
// = matrixTile
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 32;
const SUB_M: u32 = 32;                            // 2 or 4 matrices
const SUB_N: u32 = 32;                            // 2 matrices
alias Part = f16;                                 // of matrices of operands
const MATRIX_M: u32 = 16;
const MATRIX_N: u32 = 16;
const MATRIX_K: u32 = 16;
const SUBGROUP: u32 = 32;
// = end
const SPLIT: bool = false;
const ACROSS = TILE_N / SUB_N;                    // subgroups along a row of the tile
const SUBGROUPS = TILE_M / SUB_M * ACROSS;
const THREADS = SUBGROUP * SUBGROUPS;
const FOURS = MATRIX_M * MATRIX_N / 4;            // vec4 in a matrix of sums
const X_ROW = TILE_K / 4;                         // vec4 in a row of a slice,
const W_ROW = TILE_N / 4;
const X_STRIDE = X_ROW + 2;                       // and from one row to the next
const W_STRIDE = W_ROW + 2;
const X_LOADS = TILE_M * X_ROW / THREADS;         // vec4 that a thread fetches of a slice: at most 4
const W_LOADS = TILE_K * W_ROW / THREADS;
const X_STEP = THREADS / X_ROW;                   // rows from one of them to the next
const W_STEP = THREADS / W_ROW;
const BEYOND: u32 = 0x40000000;                   // a row that is outside of every image

// Applied to what is stored: four values, the first of them y[at], of `channel`. e0 and e1 hold operands of
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

alias Part4 = vec4<Part>;
var<workgroup> xSlice: array<Part4, TILE_M * X_STRIDE>;    // [row, k / 4]
var<workgroup> wSlice: array<Part4, TILE_K * W_STRIDE>;    // [k, column / 4]
var<workgroup> stage: array<f32, 4 * FOURS * SUBGROUPS>;    // a matrix of sums for each subgroup

alias Left = subgroup_matrix_left<Part, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Part, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

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

// tap: rows and columns from a window's first pixel, and vec4 from its first.
fn fetchX(window: vec3u, tap: vec3u) -> Part4 {
  if (window.x + tap.x < p.H && window.y + tap.y < p.W) { return Part4(x[window.z + tap.z]); }
  return Part4();
}

// = fetchesOfW
fn fetchW(at: u32, isInside: bool) -> Part4 {
  if (isInside) { return Part4(w[at]); }
  return Part4();
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

  let subgroup = thread / SUBGROUP;
  let subRow = subgroup / ACROSS * SUB_M;
  let subColumn = subgroup % ACROSS * SUB_N;
  // sumIJ has rows MATRIX_M·I … and columns MATRIX_N·J … of the subgroup's part.
  var sum00: Sums; var sum01: Sums; var sum10: Sums; var sum11: Sums;
  var sum20: Sums; var sum21: Sums; var sum30: Sums; var sum31: Sums;
  var x0 = Part4(); var x1 = Part4(); var x2 = Part4(); var x3 = Part4();
  var w0 = Part4(); var w1 = Part4(); var w2 = Part4(); var w3 = Part4();
  let xAt = thread / X_ROW * X_STRIDE + thread % X_ROW;
  let wAt = thread / W_ROW * W_STRIDE + thread % W_ROW;

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > begin) {    // the fetches of the turn before have arrived
      workgroupBarrier();
      xSlice[xAt] = x0;
      if (X_LOADS > 1) { xSlice[xAt + X_STEP * X_STRIDE] = x1; }
      if (X_LOADS > 2) { xSlice[xAt + 2 * X_STEP * X_STRIDE] = x2; xSlice[xAt + 3 * X_STEP * X_STRIDE] = x3; }
      wSlice[wAt] = w0;
      if (W_LOADS > 1) { wSlice[wAt + W_STEP * W_STRIDE] = w1; }
      if (W_LOADS > 2) { wSlice[wAt + 2 * W_STEP * W_STRIDE] = w2; wSlice[wAt + 3 * W_STEP * W_STRIDE] = w3; }
      workgroupBarrier();
    }
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

    // Offsets and strides count elements of the arrays, which are vec4.
    for (var depth = 0u; depth < TILE_K; depth += MATRIX_K) {
      let a = subRow * X_STRIDE + depth / 4;
      let b = depth * W_STRIDE + subColumn / 4;
      let b0 = subgroupMatrixLoad<Right, row_major>(&wSlice, b, W_STRIDE);
      let b1 = subgroupMatrixLoad<Right, row_major>(&wSlice, b + MATRIX_N / 4, W_STRIDE);
      let a0 = subgroupMatrixLoad<Left, row_major>(&xSlice, a, X_STRIDE);
      sum00 = subgroupMatrixMultiplyAccumulate(a0, b0, sum00);
      sum01 = subgroupMatrixMultiplyAccumulate(a0, b1, sum01);
      let a1 = subgroupMatrixLoad<Left, row_major>(&xSlice, a + MATRIX_M * X_STRIDE, X_STRIDE);
      sum10 = subgroupMatrixMultiplyAccumulate(a1, b0, sum10);
      sum11 = subgroupMatrixMultiplyAccumulate(a1, b1, sum11);
      if (SUB_M == 4 * MATRIX_M) {
        let a2 = subgroupMatrixLoad<Left, row_major>(&xSlice, a + 2 * MATRIX_M * X_STRIDE, X_STRIDE);
        sum20 = subgroupMatrixMultiplyAccumulate(a2, b0, sum20);
        sum21 = subgroupMatrixMultiplyAccumulate(a2, b1, sum21);
        let a3 = subgroupMatrixLoad<Left, row_major>(&xSlice, a + 3 * MATRIX_M * X_STRIDE, X_STRIDE);
        sum30 = subgroupMatrixMultiplyAccumulate(a3, b0, sum30);
        sum31 = subgroupMatrixMultiplyAccumulate(a3, b1, sum31);
      }
    }
  }

  let m = m0 + subRow;
  let columnOut = column0 + subColumn;
  let staged = 4 * FOURS * subgroup;
  subgroupMatrixStore<row_major>(&stage, staged, sum00, MATRIX_N);
  store(thread, m, columnOut, g, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum01, MATRIX_N);
  store(thread, m, columnOut + MATRIX_N, g, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum10, MATRIX_N);
  store(thread, m + MATRIX_M, columnOut, g, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum11, MATRIX_N);
  store(thread, m + MATRIX_M, columnOut + MATRIX_N, g, wg.z);
  if (SUB_M == 4 * MATRIX_M) {
    subgroupMatrixStore<row_major>(&stage, staged, sum20, MATRIX_N);
    store(thread, m + 2 * MATRIX_M, columnOut, g, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum21, MATRIX_N);
    store(thread, m + 2 * MATRIX_M, columnOut + MATRIX_N, g, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum30, MATRIX_N);
    store(thread, m + 3 * MATRIX_M, columnOut, g, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum31, MATRIX_N);
    store(thread, m + 3 * MATRIX_M, columnOut + MATRIX_N, g, wg.z);
  }
}

// Lanes store their subgroup's staged matrix, whose first element is y[m, column].
fn store(thread: u32, m: u32, column: u32, g: u32, split: u32) {
  workgroupBarrier();
  let first = thread / SUBGROUP * FOURS;
  for (var four = thread % SUBGROUP; four < FOURS; four += SUBGROUP) {
    storeFour(first + four, m + four / (MATRIX_N / 4), column + four % (MATRIX_N / 4) * 4, g, split);
  }
  workgroupBarrier();
}

fn storeFour(four: u32, m: u32, column: u32, g: u32, split: u32) {
  let M = p.N * p.P * p.Q;
  let outputs = p.O / p.groups;
  if (m >= M || column >= outputs) { return; }
  let sum = vec4f(stage[4 * four], stage[4 * four + 1], stage[4 * four + 2], stage[4 * four + 3]);
  let o = g * outputs + column;
  let at = (split * M + m) * p.O + o;
  if (SPLIT) { y[at / 4] = vec4<Out>(sum); } else { y[at / 4] = vec4<Out>(epilogue(sum, at, o)); }
}
