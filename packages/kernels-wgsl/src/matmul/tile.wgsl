// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// For GPUs: a workgroup computes TILE_M rows by TILE_N columns of one batch, each thread ROWS × COLS of them in
// registers. Slices of TILE_K pass through workgroup memory in vec4, fetched along the axis of each operand that is
// contiguous; the next one is fetched into registers while this one is multiplied. With SPLIT, the workgroups of
// one z sum one split of k each, for a second launch to add up.
//
//   a b  anywhere in their buffers, by strides: 1 along one axis, others and the sizes along that axis multiples of 4
//   y    [batch, M, N], with SPLIT [splits, batch, M, N] of f32 sums without epilogue;  N a multiple of 4
//   dispatch  batch · ceil(M / TILE_M) · ceil(N / TILE_N) spread over x and y, × splits

alias Elem = f32;
alias Out = Elem;
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const ROWS: u32 = 4;                              // 4 or 8
const COLS: u32 = 4;                              // of all tiles that a product is computed in
const A_COLUMNS: bool = false;                    // columns of a are contiguous, not rows
const B_COLUMNS: bool = false;
const SPLIT: bool = false;
const ACROSS = TILE_N / COLS;                     // threads along a row of the tile
const DOWN = TILE_M / ROWS;
const THREADS = ACROSS * DOWN;
const K_ROW = TILE_K / 4;                         // vec4 along k of a slice,
const M_ROW = TILE_M / 4;                         // along its rows,
const N_ROW = TILE_N / 4;                         // and along its columns
const A_LOADS = TILE_M * K_ROW / THREADS;         // vec4 that a thread fetches of a slice: at most 4
const B_LOADS = TILE_N * K_ROW / THREADS;
const TURNED = N_ROW * K_ROW;                     // threads that fetch four columns of b at four k, with B_COLUMNS
// Slices of b have a vec4 more in a row where they turn, so that fewer threads meet in a bank.
const PAD: u32 = 0;                   // 1 with B_COLUMNS
const B_STRIDE = N_ROW + PAD;

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

var<workgroup> aSlice: array<vec4f, TILE_M * K_ROW>;     // [row, k / 4]; with A_COLUMNS [k, row / 4]
var<workgroup> bSlice: array<vec4f, TILE_K * B_STRIDE>;    // [k, column / 4]

// = begin
// First element of batch z of an operand with these strides.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return steps.x + steps.y + steps.z + steps.w;
}
// = end

fn fetchA(at: u32, isInside: bool) -> vec4f {
  if (isInside) { return vec4f(a[at / 4]); }
  return vec4f();
}

fn fetchB(at: u32, isInside: bool) -> vec4f {
  if (isInside) { return vec4f(b[at / 4]); }
  return vec4f();
}

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

// The part-th four rows of thread ty at four k.
fn rowsAt(ty: u32, part: u32, k: u32) -> mat4x4f {
  if (A_COLUMNS) {
    let at = k * M_ROW + ty + part * DOWN;
    return transpose(mat4x4f(aSlice[at], aSlice[at + M_ROW], aSlice[at + 2 * M_ROW], aSlice[at + 3 * M_ROW]));
  }
  let at = (ty + 4 * part * DOWN) * K_ROW + k / 4;
  return mat4x4f(aSlice[at], aSlice[at + DOWN * K_ROW], aSlice[at + 2 * DOWN * K_ROW], aSlice[at + 3 * DOWN * K_ROW]);
}

// Four columns of bSlice at four k.
fn columnsAt(at: u32) -> mat4x4f {
  return mat4x4f(bSlice[at], bSlice[at + B_STRIDE], bSlice[at + 2 * B_STRIDE], bSlice[at + 3 * B_STRIDE]);
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

  // A thread's vec4 of a slice lie aRows rows or aKs k apart; those of b bKs k, with B_COLUMNS one column.
  let aRows = select(THREADS / K_ROW, 0, A_COLUMNS);
  let aKs = select(0, THREADS / M_ROW, A_COLUMNS);
  let bKs = select(THREADS / N_ROW, 0, B_COLUMNS);
  let m = m0 + select(thread / K_ROW, thread % M_ROW * 4, A_COLUMNS);
  let n = n0 + select(thread % N_ROW, thread / K_ROW, B_COLUMNS) * 4;
  var aK = first + select(thread % K_ROW * 4, thread / M_ROW, A_COLUMNS);
  var bK = first + select(thread / N_ROW, thread % K_ROW * 4, B_COLUMNS);
  var aAt = begin(z, p.aBatch) + m * p.aRow + aK * p.aCol;
  var bAt = begin(z, p.bBatch) + bK * p.bRow + n * p.bCol;
  let aJump = aRows * p.aRow + aKs * p.aCol;
  let bJump = select(bKs * p.bRow, p.bCol, B_COLUMNS);
  let isB = n < p.N && (!B_COLUMNS || thread < TURNED);

  let tx = thread % ACROSS;    // computes columns 4·tx … + 3, and those 4·ACROSS further right,
  let ty = thread / ACROSS;    // of rows ty, ty + DOWN, …; with A_COLUMNS 4·ty … + 3, and those 4·DOWN further down
  // Names, not an array: they are sure to stay in registers.
  var sum0 = mat4x4f();
  var sum1 = mat4x4f();
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();

  for (var k0 = first; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > first) {    // the loads of the turn before have arrived
      workgroupBarrier();
      aSlice[thread] = a0;
      if (A_LOADS > 1) { aSlice[thread + THREADS] = a1; }
      if (A_LOADS > 2) { aSlice[thread + 2 * THREADS] = a2; aSlice[thread + 3 * THREADS] = a3; }
      if (B_COLUMNS) {
        if (thread < TURNED) {
          let at = thread % K_ROW * 4 * B_STRIDE + thread / K_ROW;
          let turned = transpose(mat4x4f(b0, b1, b2, b3));
          bSlice[at] = turned[0];
          bSlice[at + B_STRIDE] = turned[1];
          bSlice[at + 2 * B_STRIDE] = turned[2];
          bSlice[at + 3 * B_STRIDE] = turned[3];
        }
      } else {
        bSlice[thread] = b0;
        if (B_LOADS > 1) { bSlice[thread + THREADS] = b1; }
        if (B_LOADS > 2) { bSlice[thread + 2 * THREADS] = b2; bSlice[thread + 3 * THREADS] = b3; }
      }
      workgroupBarrier();
    }
    if (k0 < end) {
      a0 = fetchA(aAt, m < p.M && aK < p.K);
      if (A_LOADS > 1) { a1 = fetchA(aAt + aJump, m + aRows < p.M && aK + aKs < p.K); }
      if (A_LOADS > 2) {
        a2 = fetchA(aAt + 2 * aJump, m + 2 * aRows < p.M && aK + 2 * aKs < p.K);
        a3 = fetchA(aAt + 3 * aJump, m + 3 * aRows < p.M && aK + 3 * aKs < p.K);
      }
      b0 = fetchB(bAt, isB && bK < p.K);
      if (B_COLUMNS || B_LOADS > 1) { b1 = fetchB(bAt + bJump, isB && bK + bKs < p.K); }
      if (B_COLUMNS || B_LOADS > 2) {
        b2 = fetchB(bAt + 2 * bJump, isB && bK + 2 * bKs < p.K);
        b3 = fetchB(bAt + 3 * bJump, isB && bK + 3 * bKs < p.K);
      }
      aK += TILE_K;
      bK += TILE_K;
      aAt += TILE_K * p.aCol;
      bAt += TILE_K * p.bRow;
    }
    if (k0 == first) { continue; }

    for (var k = 0u; k < TILE_K; k += 4) {
      let column = k * B_STRIDE + tx;
      let columns = columnsAt(column);
      sum0 = add(sum0, rowsAt(ty, 0, k), columns);
      if (ROWS == 8) { sum1 = add(sum1, rowsAt(ty, 1, k), columns); }
    }
  }

  let above = (wg.z * batches + z) * p.M;    // rows of y before this batch's
  let column = n0 + 4 * tx;
  store(above, m0, 0, ty, column, sum0);
  if (ROWS == 8) { store(above, m0, 1, ty, column, sum1); }
}

// The part-th four rows of thread ty.
fn store(above: u32, m0: u32, part: u32, ty: u32, n: u32, sum: mat4x4f) {
  let step = select(DOWN, 1, A_COLUMNS);
  let m = m0 + select(ty, 4 * ty, A_COLUMNS) + 4 * part * DOWN;
  storeRow(above, m, n, sum[0]);
  storeRow(above, m + step, n, sum[1]);
  storeRow(above, m + 2 * step, n, sum[2]);
  storeRow(above, m + 3 * step, n, sum[3]);
}

fn storeRow(above: u32, m: u32, n: u32, sum: vec4f) {
  if (m >= p.M || n >= p.N) { return; }
  let at = (above + m) * p.N + n;
  if (SPLIT) { y[at / 4] = vec4<Out>(sum); } else { y[at / 4] = vec4<Out>(epilogue(sum, at, n)); }
}
