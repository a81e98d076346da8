enable f16, subgroups, chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o]), on matrix units
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols.
//
// inputGradTile.wgsl says how phases and taps are walked and k is split, matrix.wgsl how matrices are used. Rows of w
// are the columns of the right matrices.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     C / groups and O / groups multiples of 4
//   dx  [N, H, W, C], with SPLIT [splits, N, H, W, C] of f32 sums without epilogue
//   a stride of 1 or a dilation of 1 on each axis
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / TILE_M)
//             · groups · ceil(C / groups / TILE_N), spread over x and y, × splits

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
const ROW = TILE_K / 4;                           // vec4 in a row of a slice,
const ROW_STRIDE = ROW + 2;                       // and from one row to the next
const DY_LOADS = TILE_M * ROW / THREADS;          // vec4 that a thread fetches of a slice: at most 4
const W_LOADS = TILE_N * ROW / THREADS;
const STEP = THREADS / ROW;                       // rows or columns from one of them to the next
const BEYOND: u32 = 0x40000000;                   // a row that is outside of every image

// Applied to what is stored: four values, the first of them dx[at], of `channel`. e0 and e1 hold operands of
// dx's shape, or one value a channel.
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

@group(0) @binding(0) var<storage, read> dy: array<vec4<Elem>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<Elem>>;
@group(0) @binding(2) var<storage, read> e0: array<vec4<E0>>;
@group(0) @binding(3) var<storage, read> e1: array<vec4<E1>>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4<Out>>;
@group(0) @binding(5) var<uniform> p: Params;

alias Part4 = vec4<Part>;
var<workgroup> dySlice: array<Part4, TILE_M * ROW_STRIDE>;    // [row, k / 4]
var<workgroup> wSlice: array<Part4, TILE_N * ROW_STRIDE>;     // [column, k / 4]
var<workgroup> stage: array<f32, 4 * FOURS * SUBGROUPS>;    // a matrix of sums for each subgroup

alias Left = subgroup_matrix_left<Part, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Part, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// Pixels that a phase of the strides has: rows and columns of them in an image, and its first row and column.
struct Phase { down: u32, along: u32, row: u32, col: u32 }

// The last p and q whose windows reach pixel m of a phase by its first tap, and where that output's first vec4 is.
// = outputOf
fn outputOf(m: u32, phase: Phase, g: u32) -> vec3u {
  let h = m / phase.along % phase.down * p.strideRows + phase.row + p.padTop;
  let v = m % phase.along * p.strideCols + phase.col + p.padLeft;
  let bottom = select(h / p.strideRows, BEYOND, m >= p.N * phase.down * phase.along);
  let right = v / p.strideCols;
  let n = m / (phase.down * phase.along);
  return vec3u(bottom, right, ((n * p.P + bottom) * p.Q + right) * (p.O / 4) + g * (p.O / p.groups / 4));
}
// = end

// back: rows and columns before an output, and vec4 before its first. Before the first output these wrap to a
// huge u32, so that one `<` tests both edges.
fn fetchDy(output: vec3u, back: vec3u) -> Part4 {
  if (output.x - back.x < p.P && output.y - back.y < p.Q) { return Part4(dy[output.z - back.z]); }
  return Part4();
}

// = fetchesOfW
fn fetchW(at: u32, isInside: bool) -> Part4 {
  if (isInside) { return Part4(w[at]); }
  return Part4();
}
// = end

// = tileOfInputGrad
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let tilesAcross = (channels + TILE_N - 1) / TILE_N;
  let tile = wg.y * grid.x + wg.x;
  let column0 = tile % tilesAcross * TILE_N;
  let g = tile / tilesAcross % p.groups;
  let down = (p.H + p.strideRows - 1) / p.strideRows;
  let along = (p.W + p.strideCols - 1) / p.strideCols;
  let tilesDown = (p.N * down * along + TILE_M - 1) / TILE_M;
  let part = tile / (tilesAcross * p.groups);
  let which = part / tilesDown;
  if (which >= p.strideRows * p.strideCols) { return; }
  let phase = Phase(down, along, which / p.strideCols, which % p.strideCols);
  let m0 = part % tilesDown * TILE_M;
  // Taps that reach the phase: every strideRows-th from the first one, and of columns likewise.
  let firstRow = (phase.row + p.padTop) % p.strideRows;
  let firstCol = (phase.col + p.padLeft) % p.strideCols;
  let tapRows = select((p.R - firstRow + p.strideRows - 1) / p.strideRows, 0, firstRow >= p.R);
  let tapCols = select((p.S - firstCol + p.strideCols - 1) / p.strideCols, 0, firstCol >= p.S);
  let K = tapRows * tapCols * outputs;
  let perSplit = ((K + TILE_K - 1) / TILE_K + grid.z - 1) / grid.z * TILE_K;
  let begin = min(wg.z * perSplit, K);
  let end = min(begin + perSplit, K);
// = end

  // A thread fetches the same four k of its rows and of its columns.
  let side = thread / ROW;
  let output0 = outputOf(m0 + side, phase, g);
  let output1 = outputOf(m0 + side + STEP, phase, g);
  let output2 = outputOf(m0 + side + 2 * STEP, phase, g);
  let output3 = outputOf(m0 + side + 3 * STEP, phase, g);
  let column = column0 + side;
  let rowStride = p.O / 4;
  // k = (tapRow·tapCols + tapCol)·O/groups + o is walked: divisions at each fetch would cost a quarter of the time.
  let kLane = thread % ROW * 4;
  var k = begin + kLane;
  var o = k % outputs;
  var tapCol = k / outputs % tapCols;
  var tapRow = k / outputs / tapCols;

  let subgroup = thread / SUBGROUP;
  let subRow = subgroup / ACROSS * SUB_M;
  let subColumn = subgroup % ACROSS * SUB_N;
  // sumIJ has rows MATRIX_M·I … and columns MATRIX_N·J … of the subgroup's part.
  var sum00: Sums; var sum01: Sums; var sum10: Sums; var sum11: Sums;
  var sum20: Sums; var sum21: Sums; var sum30: Sums; var sum31: Sums;
  var dy0 = Part4(); var dy1 = Part4(); var dy2 = Part4(); var dy3 = Part4();
  var w0 = Part4(); var w1 = Part4(); var w2 = Part4(); var w3 = Part4();
  let place = side * ROW_STRIDE + thread % ROW;

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > begin) {    // the fetches of the turn before have arrived
      workgroupBarrier();
      dySlice[place] = dy0;
      if (DY_LOADS > 1) { dySlice[place + STEP * ROW_STRIDE] = dy1; }
      if (DY_LOADS > 2) { dySlice[place + 2 * STEP * ROW_STRIDE] = dy2; dySlice[place + 3 * STEP * ROW_STRIDE] = dy3; }
      wSlice[place] = w0;
      if (W_LOADS > 1) { wSlice[place + STEP * ROW_STRIDE] = w1; }
      if (W_LOADS > 2) { wSlice[place + 2 * STEP * ROW_STRIDE] = w2; wSlice[place + 3 * STEP * ROW_STRIDE] = w3; }
      workgroupBarrier();
    }
    if (k0 < end) {
      // = fetchDySlice
      let isInside = k < K;
      let dr = select(2 * BEYOND, tapRow * p.dilationRows, isInside);    // outside also from a row that is BEYOND
      let ds = tapCol * p.dilationCols;
      let back = vec3u(dr, ds, (dr * p.Q + ds) * rowStride - o / 4);
      dy0 = fetchDy(output0, back);
      if (DY_LOADS > 1) { dy1 = fetchDy(output1, back); }
      if (DY_LOADS > 2) { dy2 = fetchDy(output2, back); dy3 = fetchDy(output3, back); }
      let tap = (firstRow + tapRow * p.strideRows) * p.S + firstCol + tapCol * p.strideCols;
      let at = (tap * channels + column) * rowStride + (g * outputs + o) / 4;
      // = end
      w0 = fetchW(at, isInside && column < channels);
      if (W_LOADS > 1) { w1 = fetchW(at + STEP * rowStride, isInside && column + STEP < channels); }
      if (W_LOADS > 2) {
        w2 = fetchW(at + 2 * STEP * rowStride, isInside && column + 2 * STEP < channels);
        w3 = fetchW(at + 3 * STEP * rowStride, isInside && column + 3 * STEP < channels);
      }
      k += TILE_K;
      o += TILE_K;
      while (o >= outputs) {
        o -= outputs;
        tapCol += 1;
        if (tapCol == tapCols) { tapCol = 0; tapRow += 1; }
      }
    }
    if (k0 == begin) { continue; }

    // Offsets and strides count elements of the arrays, which are vec4.
    for (var depth = 0u; depth < TILE_K; depth += MATRIX_K) {
      let a = subRow * ROW_STRIDE + depth / 4;
      let b = subColumn * ROW_STRIDE + depth / 4;
      let b0 = subgroupMatrixLoad<Right, col_major>(&wSlice, b, ROW_STRIDE);
      let b1 = subgroupMatrixLoad<Right, col_major>(&wSlice, b + MATRIX_N * ROW_STRIDE, ROW_STRIDE);
      let a0 = subgroupMatrixLoad<Left, row_major>(&dySlice, a, ROW_STRIDE);
      sum00 = subgroupMatrixMultiplyAccumulate(a0, b0, sum00);
      sum01 = subgroupMatrixMultiplyAccumulate(a0, b1, sum01);
      let a1 = subgroupMatrixLoad<Left, row_major>(&dySlice, a + MATRIX_M * ROW_STRIDE, ROW_STRIDE);
      sum10 = subgroupMatrixMultiplyAccumulate(a1, b0, sum10);
      sum11 = subgroupMatrixMultiplyAccumulate(a1, b1, sum11);
      if (SUB_M == 4 * MATRIX_M) {
        let a2 = subgroupMatrixLoad<Left, row_major>(&dySlice, a + 2 * MATRIX_M * ROW_STRIDE, ROW_STRIDE);
        sum20 = subgroupMatrixMultiplyAccumulate(a2, b0, sum20);
        sum21 = subgroupMatrixMultiplyAccumulate(a2, b1, sum21);
        let a3 = subgroupMatrixLoad<Left, row_major>(&dySlice, a + 3 * MATRIX_M * ROW_STRIDE, ROW_STRIDE);
        sum30 = subgroupMatrixMultiplyAccumulate(a3, b0, sum30);
        sum31 = subgroupMatrixMultiplyAccumulate(a3, b1, sum31);
      }
    }
  }

  let m = m0 + subRow;
  let columnOut = column0 + subColumn;
  let staged = 4 * FOURS * subgroup;
  subgroupMatrixStore<row_major>(&stage, staged, sum00, MATRIX_N);
  store(thread, m, columnOut, g, phase, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum01, MATRIX_N);
  store(thread, m, columnOut + MATRIX_N, g, phase, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum10, MATRIX_N);
  store(thread, m + MATRIX_M, columnOut, g, phase, wg.z);
  subgroupMatrixStore<row_major>(&stage, staged, sum11, MATRIX_N);
  store(thread, m + MATRIX_M, columnOut + MATRIX_N, g, phase, wg.z);
  if (SUB_M == 4 * MATRIX_M) {
    subgroupMatrixStore<row_major>(&stage, staged, sum20, MATRIX_N);
    store(thread, m + 2 * MATRIX_M, columnOut, g, phase, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum21, MATRIX_N);
    store(thread, m + 2 * MATRIX_M, columnOut + MATRIX_N, g, phase, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum30, MATRIX_N);
    store(thread, m + 3 * MATRIX_M, columnOut, g, phase, wg.z);
    subgroupMatrixStore<row_major>(&stage, staged, sum31, MATRIX_N);
    store(thread, m + 3 * MATRIX_M, columnOut + MATRIX_N, g, phase, wg.z);
  }
}

// Lanes store their subgroup's staged matrix, whose first element is that of pixel m and channel `column`.
fn store(thread: u32, m: u32, column: u32, g: u32, phase: Phase, split: u32) {
  workgroupBarrier();
  let first = thread / SUBGROUP * FOURS;
  for (var four = thread % SUBGROUP; four < FOURS; four += SUBGROUP) {
    storeFour(first + four, m + four / (MATRIX_N / 4), column + four % (MATRIX_N / 4) * 4, g, phase, split);
  }
  workgroupBarrier();
}

fn storeFour(four: u32, m: u32, column: u32, g: u32, phase: Phase, split: u32) {
  let channels = p.C / p.groups;
  let n = m / (phase.down * phase.along);
  let h = m / phase.along % phase.down * p.strideRows + phase.row;
  let v = m % phase.along * p.strideCols + phase.col;
  if (n >= p.N || h >= p.H || v >= p.W || column >= channels) { return; }
  let sum = vec4f(stage[4 * four], stage[4 * four + 1], stage[4 * four + 2], stage[4 * four + 3]);
  let c = g * channels + column;
  let at = (((split * p.N + n) * p.H + h) * p.W + v) * p.C + c;
  if (SPLIT) { dx[at / 4] = vec4<Out>(sum); } else { dx[at / 4] = vec4<Out>(epilogue(sum, at, c)); }
}
