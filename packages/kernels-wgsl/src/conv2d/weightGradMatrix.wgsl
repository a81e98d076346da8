enable f16, subgroups, chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col, on matrix units
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// weightGradTile.wgsl says how the work is divided, matrix.wgsl how matrices are used. Rows of the slice of x are the
// columns of the left matrices.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   C / groups and O / groups multiples of 4
//   dispatch  splits · groups · ceil(R·S·C / groups / TILE_M) · ceil(O / groups / TILE_N) over x and y

alias Elem = f32;
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
const ACROSS = TILE_N / SUB_N;                    // subgroups along a row of the tile
const SUBGROUPS = TILE_M / SUB_M * ACROSS;
const THREADS = SUBGROUP * SUBGROUPS;
const FOURS = MATRIX_M * MATRIX_N / 4;            // vec4 in a matrix of sums
const X_ROW = TILE_M / 4;                         // vec4 at one k of a slice,
const DY_ROW = TILE_N / 4;
const X_STRIDE = X_ROW + 2;                       // and from one k to the next
const DY_STRIDE = DY_ROW + 2;
const X_LOADS = TILE_K * X_ROW / THREADS;         // vec4 that a thread fetches of a slice: at most 4
const DY_LOADS = TILE_K * DY_ROW / THREADS;
const X_STEP = THREADS / X_ROW;                   // k from one of them to the next
const DY_STEP = THREADS / DY_ROW;
const BEYOND: u32 = 0x40000000;                   // a row that is outside of every image

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
  splits: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<Elem>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<Elem>>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

alias Part4 = vec4<Part>;
var<workgroup> xSlice: array<Part4, TILE_K * X_STRIDE>;      // [k, row / 4]
var<workgroup> dySlice: array<Part4, TILE_K * DY_STRIDE>;    // [k, column / 4]
var<workgroup> stage: array<f32, 4 * FOURS * SUBGROUPS>;    // a matrix of sums for each subgroup

var<workgroup> pixels: array<vec3u, TILE_K>;              // of x, for each k: row, column and first element

alias Left = subgroup_matrix_left<Part, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Part, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// = pixelOf
// The pixel of x that the first weight meets at output m, without padding; beyond the end it is outside of every image.
fn pixelOf(m: u32, end: u32) -> vec3u {
  let row = m / p.Q % p.P * p.strideRows;
  let col = m % p.Q * p.strideCols;
  let first = ((m / (p.P * p.Q) * p.H + row) * p.W + col) * p.C;
  return vec3u(select(BEYOND, row, m < end), col, first);
}
// = end

// weight: rows, columns and elements from the first weight's pixel without padding. Above and left of the image
// these wrap to a huge u32, so that one `<` tests both edges.
fn fetchX(weight: vec3u, k: u32) -> Part4 {
  let pixel = pixels[k];
  if (pixel.x + weight.x < p.H && pixel.y + weight.y < p.W) { return Part4(x[(pixel.z + weight.z) / 4]); }
  return Part4();
}

fn fetchDy(at: u32, isInside: bool) -> Part4 {
  if (isInside) { return Part4(dy[at]); }
  return Part4();
}

// = tileOfWeightGrad
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let M = p.N * p.P * p.Q;
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let weights = p.R * p.S * channels;
  let tilesAcross = (outputs + TILE_N - 1) / TILE_N;
  let tilesDown = (weights + TILE_M - 1) / TILE_M;
  let tile = wg.y * grid.x + wg.x;
  let column0 = tile % tilesAcross * TILE_N;
  let g = tile / tilesAcross % p.groups;
  let w0 = tile / (tilesAcross * p.groups) % tilesDown * TILE_M;
  let split = tile / (tilesAcross * p.groups * tilesDown);
  if (split >= p.splits) { return; }
  let perSplit = (M + p.splits - 1) / p.splits;
  let begin = min(split * perSplit, M);
  let end = min(begin + perSplit, M);

  // A thread fetches the same four weights of each of its k, and the same four columns.
  let row = w0 + thread % X_ROW * 4;
  let top = select(row / (p.S * channels) * p.dilationRows - p.padTop, BEYOND, row >= weights);
  let left = row / channels % p.S * p.dilationCols - p.padLeft;
  let weight = vec3u(top, left, (top * p.W + left) * p.C + g * channels + row % channels);
  let xK = thread / X_ROW;
  var pixel = pixelOf(begin + thread, end);
  var dyK = begin + thread / DY_ROW;
  let column = column0 + thread % DY_ROW * 4;
  let isColumn = column < outputs;
  let dyColumn = (g * outputs + column) / 4;
  let dyStride = p.O / 4;
// = end

  let subgroup = thread / SUBGROUP;
  let subRow = subgroup / ACROSS * SUB_M;
  let subColumn = subgroup % ACROSS * SUB_N;
  // sumIJ has rows MATRIX_M·I … and columns MATRIX_N·J … of the subgroup's part.
  var sum00: Sums; var sum01: Sums; var sum10: Sums; var sum11: Sums;
  var sum20: Sums; var sum21: Sums; var sum30: Sums; var sum31: Sums;
  var x0 = Part4(); var x1 = Part4(); var x2 = Part4(); var x3 = Part4();
  var dy0 = Part4(); var dy1 = Part4(); var dy2 = Part4(); var dy3 = Part4();
  let xAt = thread / X_ROW * X_STRIDE + thread % X_ROW;
  let dyAt = thread / DY_ROW * DY_STRIDE + thread % DY_ROW;

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    let isFirst = k0 == begin;
    workgroupBarrier();
    if (!isFirst) {    // the fetches of the turn before have arrived
      xSlice[xAt] = x0;
      if (X_LOADS > 1) { xSlice[xAt + X_STEP * X_STRIDE] = x1; }
      if (X_LOADS > 2) { xSlice[xAt + 2 * X_STEP * X_STRIDE] = x2; xSlice[xAt + 3 * X_STEP * X_STRIDE] = x3; }
      dySlice[dyAt] = dy0;
      if (DY_LOADS > 1) { dySlice[dyAt + DY_STEP * DY_STRIDE] = dy1; }
      if (DY_LOADS > 2) { dySlice[dyAt + 2 * DY_STEP * DY_STRIDE] = dy2; dySlice[dyAt + 3 * DY_STEP * DY_STRIDE] = dy3; }
    }
    if (thread < TILE_K) { pixels[thread] = pixel; }
    workgroupBarrier();
    if (k0 < end) {
      x0 = fetchX(weight, xK);
      if (X_LOADS > 1) { x1 = fetchX(weight, xK + X_STEP); }
      if (X_LOADS > 2) { x2 = fetchX(weight, xK + 2 * X_STEP); x3 = fetchX(weight, xK + 3 * X_STEP); }
      let at = dyK * dyStride + dyColumn;
      dy0 = fetchDy(at, isColumn && dyK < end);
      if (DY_LOADS > 1) { dy1 = fetchDy(at + DY_STEP * dyStride, isColumn && dyK + DY_STEP < end); }
      if (DY_LOADS > 2) {
        dy2 = fetchDy(at + 2 * DY_STEP * dyStride, isColumn && dyK + 2 * DY_STEP < end);
        dy3 = fetchDy(at + 3 * DY_STEP * dyStride, isColumn && dyK + 3 * DY_STEP < end);
      }
      dyK += TILE_K;
      // One thread divides for all that fetch at its k.
      if (thread < TILE_K) { pixel = pixelOf(k0 + TILE_K + thread, end); }
    }
    if (isFirst) { continue; }

    // Offsets and strides count elements of the arrays, which are vec4.
    for (var depth = 0u; depth < TILE_K; depth += MATRIX_K) {
      let a = depth * X_STRIDE + subRow / 4;
      let b = depth * DY_STRIDE + subColumn / 4;
      let b0 = subgroupMatrixLoad<Right, row_major>(&dySlice, b, DY_STRIDE);
      let b1 = subgroupMatrixLoad<Right, row_major>(&dySlice, b + MATRIX_N / 4, DY_STRIDE);
      let a0 = subgroupMatrixLoad<Left, col_major>(&xSlice, a, X_STRIDE);
      sum00 = subgroupMatrixMultiplyAccumulate(a0, b0, sum00);
      sum01 = subgroupMatrixMultiplyAccumulate(a0, b1, sum01);
      let a1 = subgroupMatrixLoad<Left, col_major>(&xSlice, a + MATRIX_M / 4, X_STRIDE);
      sum10 = subgroupMatrixMultiplyAccumulate(a1, b0, sum10);
      sum11 = subgroupMatrixMultiplyAccumulate(a1, b1, sum11);
      if (SUB_M == 4 * MATRIX_M) {
        let a2 = subgroupMatrixLoad<Left, col_major>(&xSlice, a + 2 * MATRIX_M / 4, X_STRIDE);
        sum20 = subgroupMatrixMultiplyAccumulate(a2, b0, sum20);
        sum21 = subgroupMatrixMultiplyAccumulate(a2, b1, sum21);
        let a3 = subgroupMatrixLoad<Left, col_major>(&xSlice, a + 3 * MATRIX_M / 4, X_STRIDE);
        sum30 = subgroupMatrixMultiplyAccumulate(a3, b0, sum30);
        sum31 = subgroupMatrixMultiplyAccumulate(a3, b1, sum31);
      }
    }
  }

  let rowOut = w0 + subRow;
  let columnOut = column0 + subColumn;
  let staged = 4 * FOURS * subgroup;
  subgroupMatrixStore<row_major>(&stage, staged, sum00, MATRIX_N);
  store(thread, rowOut, columnOut, g, split);
  subgroupMatrixStore<row_major>(&stage, staged, sum01, MATRIX_N);
  store(thread, rowOut, columnOut + MATRIX_N, g, split);
  subgroupMatrixStore<row_major>(&stage, staged, sum10, MATRIX_N);
  store(thread, rowOut + MATRIX_M, columnOut, g, split);
  subgroupMatrixStore<row_major>(&stage, staged, sum11, MATRIX_N);
  store(thread, rowOut + MATRIX_M, columnOut + MATRIX_N, g, split);
  if (SUB_M == 4 * MATRIX_M) {
    subgroupMatrixStore<row_major>(&stage, staged, sum20, MATRIX_N);
    store(thread, rowOut + 2 * MATRIX_M, columnOut, g, split);
    subgroupMatrixStore<row_major>(&stage, staged, sum21, MATRIX_N);
    store(thread, rowOut + 2 * MATRIX_M, columnOut + MATRIX_N, g, split);
    subgroupMatrixStore<row_major>(&stage, staged, sum30, MATRIX_N);
    store(thread, rowOut + 3 * MATRIX_M, columnOut, g, split);
    subgroupMatrixStore<row_major>(&stage, staged, sum31, MATRIX_N);
    store(thread, rowOut + 3 * MATRIX_M, columnOut + MATRIX_N, g, split);
  }
}

// Lanes store their subgroup's staged matrix, whose first element is that of weight `row` and `column`.
fn store(thread: u32, row: u32, column: u32, g: u32, split: u32) {
  workgroupBarrier();
  let first = thread / SUBGROUP * FOURS;
  for (var four = thread % SUBGROUP; four < FOURS; four += SUBGROUP) {
    storeFour(first + four, row + four / (MATRIX_N / 4), column + four % (MATRIX_N / 4) * 4, g, split);
  }
  workgroupBarrier();
}

fn storeFour(four: u32, row: u32, column: u32, g: u32, split: u32) {
  let weights = p.R * p.S * (p.C / p.groups);
  let outputs = p.O / p.groups;
  if (row >= weights || column >= outputs) { return; }
  let sum = vec4f(stage[4 * four], stage[4 * four + 1], stage[4 * four + 2], stage[4 * four + 3]);
  partial[((split * weights + row) * p.O + g * outputs + column) / 4] = sum;
}
