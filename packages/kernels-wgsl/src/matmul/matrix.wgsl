enable f16, subgroups, chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);
// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n]), on matrix units
//
// tile.wgsl says how k is split. A subgroup computes SUB_M × SUB_N of its workgroup's tile, in matrices of
// MATRIX_M × MATRIX_N sums in f32. Slices lie in workgroup memory as Part, to which f32 is rounded, in the order that
// they have in their buffers; a row is two vec4 longer than it needs to be, so that the rows of a matrix begin in
// different banks. Sums leave their matrices through workgroup memory, since the order of a matrix's elements is
// known there only.
//
//   a b  anywhere in their buffers, by strides: 1 along one axis, others and the sizes along that axis multiples of 4
//   y    [batch, M, N], with SPLIT [splits, batch, M, N] of f32 sums without epilogue;  N a multiple of 4
//   dispatch  batch · ceil(M / TILE_M) · ceil(N / TILE_N) spread over x and y, × splits

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
const A_COLUMNS: bool = false;        // whether columns of a are contiguous, not rows
const B_COLUMNS: bool = false;
const SPLIT: bool = false;
const ACROSS = TILE_N / SUB_N;                          // subgroups along a row of the tile
const SUBGROUPS = TILE_M / SUB_M * ACROSS;
const THREADS = SUBGROUP * SUBGROUPS;
const FOURS = MATRIX_M * MATRIX_N / 4;                  // vec4 in a matrix of sums
const A_ROW = select(TILE_K, TILE_M, A_COLUMNS) / 4;    // vec4 in a row of a slice, along what is contiguous,
const B_ROW = select(TILE_N, TILE_K, B_COLUMNS) / 4;
const A_STRIDE = A_ROW + 2;                             // and from one row to the next
const B_STRIDE = B_ROW + 2;
const A_LINES = select(TILE_M, TILE_K, A_COLUMNS);      // rows of a slice
const B_LINES = select(TILE_K, TILE_N, B_COLUMNS);
const A_LOADS = A_LINES * A_ROW / THREADS;              // vec4 that a thread fetches of a slice: at most 4
const B_LOADS = B_LINES * B_ROW / THREADS;
const A_STEP = THREADS / A_ROW;                         // rows of a slice from one of them to the next
const B_STEP = THREADS / B_ROW;

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

// Batches have up to 4 axes, last one first: their sizes, and the strides of a and b along them.
// = productParams
struct Params {
  batch: vec4u, aBatch: vec4u, bBatch: vec4u,
  M: u32, N: u32, K: u32,
  aRow: u32, aCol: u32, bRow: u32, bCol: u32,
}
// = end

@group(0) @binding(0) var<storage, read> a: array<vec4<Elem>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<Elem>>;
@group(0) @binding(2) var<storage, read> e0: array<vec4<E0>>;
@group(0) @binding(3) var<storage, read> e1: array<vec4<E1>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<Out>>;
@group(0) @binding(5) var<uniform> p: Params;

alias Part4 = vec4<Part>;
var<workgroup> aSlice: array<Part4, A_LINES * A_STRIDE>;    // [row, k / 4]; with A_COLUMNS [k, row / 4]
var<workgroup> bSlice: array<Part4, B_LINES * B_STRIDE>;    // [k, column / 4]; with B_COLUMNS [column, k / 4]
var<workgroup> stage: array<f32, 4 * FOURS * SUBGROUPS>;    // a matrix of sums for each subgroup

alias Left = subgroup_matrix_left<Part, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<Part, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// = begin
// First element of batch z of an operand with these strides.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return steps.x + steps.y + steps.z + steps.w;
}
// = end

fn fetchA(at: u32, isInside: bool) -> Part4 {
  if (isInside) { return Part4(a[at / 4]); }
  return Part4();
}

fn fetchB(at: u32, isInside: bool) -> Part4 {
  if (isInside) { return Part4(b[at / 4]); }
  return Part4();
}

// = tileOfProduct
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let tilesAcross = (p.N + TILE_N - 1) / TILE_N;
  let tilesDown = (p.M + TILE_M - 1) / TILE_M;
  let tile = wg.y * grid.x + wg.x;
  let z = tile / (tilesAcross * tilesDown);
  let batches = p.batch.x * p.batch.y * p.batch.z * p.batch.w;
  if (z >= batches) { return; }
  let m0 = tile / tilesAcross % tilesDown * TILE_M;
  let n0 = tile % tilesAcross * TILE_N;
  let perSplit = ((p.K + TILE_K - 1) / TILE_K + grid.z - 1) / grid.z * TILE_K;
  let first = min(wg.z * perSplit, p.K);
  let end = min(first + perSplit, p.K);
// = end

  // A thread's vec4 of a slice lie aRows rows or aKs k apart; those of b bColumns columns or bKs k.
  let aRows = select(A_STEP, 0, A_COLUMNS);
  let aKs = select(0, A_STEP, A_COLUMNS);
  let bColumns = select(0, B_STEP, B_COLUMNS);
  let bKs = select(B_STEP, 0, B_COLUMNS);
  let aLine = thread / A_ROW;
  let aFour = thread % A_ROW;
  let bLine = thread / B_ROW;
  let bFour = thread % B_ROW;
  let m = m0 + select(aLine, 4 * aFour, A_COLUMNS);
  let n = n0 + select(4 * bFour, bLine, B_COLUMNS);
  var aK = first + select(4 * aFour, aLine, A_COLUMNS);
  var bK = first + select(bLine, 4 * bFour, B_COLUMNS);
  var aAt = begin(z, p.aBatch) + m * p.aRow + aK * p.aCol;
  var bAt = begin(z, p.bBatch) + bK * p.bRow + n * p.bCol;
  let aJump = aRows * p.aRow + aKs * p.aCol;
  let bJump = bColumns * p.bCol + bKs * p.bRow;

  let subgroup = thread / SUBGROUP;
  let subRow = subgroup / ACROSS * SUB_M;
  let subColumn = subgroup % ACROSS * SUB_N;
  // sumIJ has rows MATRIX_M·I … and columns MATRIX_N·J … of the subgroup's part.
  var sum00: Sums; var sum01: Sums; var sum10: Sums; var sum11: Sums;
  var sum20: Sums; var sum21: Sums; var sum30: Sums; var sum31: Sums;
  var a0 = Part4(); var a1 = Part4(); var a2 = Part4(); var a3 = Part4();
  var b0 = Part4(); var b1 = Part4(); var b2 = Part4(); var b3 = Part4();
  let aPlace = aLine * A_STRIDE + aFour;
  let bPlace = bLine * B_STRIDE + bFour;

  for (var k0 = first; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > first) {    // the fetches of the turn before have arrived
      workgroupBarrier();
      aSlice[aPlace] = a0;
      if (A_LOADS > 1) { aSlice[aPlace + A_STEP * A_STRIDE] = a1; }
      if (A_LOADS > 2) { aSlice[aPlace + 2 * A_STEP * A_STRIDE] = a2; aSlice[aPlace + 3 * A_STEP * A_STRIDE] = a3; }
      bSlice[bPlace] = b0;
      if (B_LOADS > 1) { bSlice[bPlace + B_STEP * B_STRIDE] = b1; }
      if (B_LOADS > 2) { bSlice[bPlace + 2 * B_STEP * B_STRIDE] = b2; bSlice[bPlace + 3 * B_STEP * B_STRIDE] = b3; }
      workgroupBarrier();
    }
    if (k0 < end) {
      a0 = fetchA(aAt, m < p.M && aK < p.K);
      if (A_LOADS > 1) { a1 = fetchA(aAt + aJump, m + aRows < p.M && aK + aKs < p.K); }
      if (A_LOADS > 2) {
        a2 = fetchA(aAt + 2 * aJump, m + 2 * aRows < p.M && aK + 2 * aKs < p.K);
        a3 = fetchA(aAt + 3 * aJump, m + 3 * aRows < p.M && aK + 3 * aKs < p.K);
      }
      b0 = fetchB(bAt, n < p.N && bK < p.K);
      if (B_LOADS > 1) { b1 = fetchB(bAt + bJump, n + bColumns < p.N && bK + bKs < p.K); }
      if (B_LOADS > 2) {
        b2 = fetchB(bAt + 2 * bJump, n + 2 * bColumns < p.N && bK + 2 * bKs < p.K);
        b3 = fetchB(bAt + 3 * bJump, n + 3 * bColumns < p.N && bK + 3 * bKs < p.K);
      }
      aK += TILE_K;
      bK += TILE_K;
      aAt += TILE_K * p.aCol;
      bAt += TILE_K * p.bRow;
    }
    if (k0 == first) { continue; }

    for (var depth = 0u; depth < TILE_K; depth += MATRIX_K) {
      let right0 = rightAt(depth, subColumn);
      let right1 = rightAt(depth, subColumn + MATRIX_N);
      let left0 = leftAt(depth, subRow);
      sum00 = subgroupMatrixMultiplyAccumulate(left0, right0, sum00);
      sum01 = subgroupMatrixMultiplyAccumulate(left0, right1, sum01);
      let left1 = leftAt(depth, subRow + MATRIX_M);
      sum10 = subgroupMatrixMultiplyAccumulate(left1, right0, sum10);
      sum11 = subgroupMatrixMultiplyAccumulate(left1, right1, sum11);
      if (SUB_M == 4 * MATRIX_M) {
        let left2 = leftAt(depth, subRow + 2 * MATRIX_M);
        sum20 = subgroupMatrixMultiplyAccumulate(left2, right0, sum20);
        sum21 = subgroupMatrixMultiplyAccumulate(left2, right1, sum21);
        let left3 = leftAt(depth, subRow + 3 * MATRIX_M);
        sum30 = subgroupMatrixMultiplyAccumulate(left3, right0, sum30);
        sum31 = subgroupMatrixMultiplyAccumulate(left3, right1, sum31);
      }
    }
  }

  let above = (wg.z * batches + z) * p.M;    // rows of y before this batch's
  let row = m0 + subRow;
  let column = n0 + subColumn;
  let staged = 4 * FOURS * subgroup;
  subgroupMatrixStore<row_major>(&stage, staged, sum00, MATRIX_N);
  store(thread, above, row, column);
  subgroupMatrixStore<row_major>(&stage, staged, sum01, MATRIX_N);
  store(thread, above, row, column + MATRIX_N);
  subgroupMatrixStore<row_major>(&stage, staged, sum10, MATRIX_N);
  store(thread, above, row + MATRIX_M, column);
  subgroupMatrixStore<row_major>(&stage, staged, sum11, MATRIX_N);
  store(thread, above, row + MATRIX_M, column + MATRIX_N);
  if (SUB_M == 4 * MATRIX_M) {
    subgroupMatrixStore<row_major>(&stage, staged, sum20, MATRIX_N);
    store(thread, above, row + 2 * MATRIX_M, column);
    subgroupMatrixStore<row_major>(&stage, staged, sum21, MATRIX_N);
    store(thread, above, row + 2 * MATRIX_M, column + MATRIX_N);
    subgroupMatrixStore<row_major>(&stage, staged, sum30, MATRIX_N);
    store(thread, above, row + 3 * MATRIX_M, column);
    subgroupMatrixStore<row_major>(&stage, staged, sum31, MATRIX_N);
    store(thread, above, row + 3 * MATRIX_M, column + MATRIX_N);
  }
}

// Offsets and strides count elements of the arrays, which are vec4.
fn leftAt(k: u32, row: u32) -> Left {
  if (A_COLUMNS) { return subgroupMatrixLoad<Left, col_major>(&aSlice, k * A_STRIDE + row / 4, A_STRIDE); }
  return subgroupMatrixLoad<Left, row_major>(&aSlice, row * A_STRIDE + k / 4, A_STRIDE);
}

fn rightAt(k: u32, column: u32) -> Right {
  if (B_COLUMNS) { return subgroupMatrixLoad<Right, col_major>(&bSlice, column * B_STRIDE + k / 4, B_STRIDE); }
  return subgroupMatrixLoad<Right, row_major>(&bSlice, k * B_STRIDE + column / 4, B_STRIDE);
}

// Lanes store their subgroup's staged matrix, whose first element is that of row m and column n.
fn store(thread: u32, above: u32, m: u32, n: u32) {
  workgroupBarrier();
  let first = thread / SUBGROUP * FOURS;
  for (var four = thread % SUBGROUP; four < FOURS; four += SUBGROUP) {
    storeFour(first + four, above, m + four / (MATRIX_N / 4), n + four % (MATRIX_N / 4) * 4);
  }
  workgroupBarrier();
}

fn storeFour(four: u32, above: u32, m: u32, n: u32) {
  if (m >= p.M || n >= p.N) { return; }
  let sum = vec4f(stage[4 * four], stage[4 * four + 1], stage[4 * four + 2], stage[4 * four + 3]);
  let at = (above + m) * p.N + n;
  if (SPLIT) { y[at / 4] = vec4<Out>(sum); } else { y[at / 4] = vec4<Out>(epilogue(sum, at, n)); }
}
