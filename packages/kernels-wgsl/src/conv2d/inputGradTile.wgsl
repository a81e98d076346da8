// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o])
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols.
//
// For GPUs: as tile.wgsl, over k = (tap, o). Pixels m of a tile lie a stride apart, so that a tap reaches all of
// them or none: each phase of the strides has tiles of its own, and walks only the taps that reach it.
// w is contiguous along k: it turns on its way into workgroup memory.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     C / groups and O / groups multiples of 4
//   dx  [N, H, W, C], with SPLIT [splits, N, H, W, C] of f32 sums without epilogue
//   a stride of 1 or a dilation of 1 on each axis
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / TILE_M)
//             · groups · ceil(C / groups / TILE_N), spread over x and y, × splits

alias Elem = f32;
alias Out = Elem;
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const ROWS: u32 = 4;                              // 4 or 8
const COLS: u32 = 4;                              // 4 or 8
const SPLIT: bool = false;
const ACROSS = TILE_N / COLS;                     // threads along a row of the tile
const DOWN = TILE_M / ROWS;
const THREADS = ACROSS * DOWN;
const DY_ROW = TILE_K / 4;                        // vec4 in a row of a slice
const W_ROW = TILE_N / 4 + 1;                     // one more, so that fewer threads that turn meet in a bank
const DY_LOADS = TILE_M * DY_ROW / THREADS;       // vec4 that a thread fetches of a slice: at most 4
const STEP = THREADS / DY_ROW;                    // rows from one of them to the next
const TURNED = TILE_N / 4 * DY_ROW;               // threads that fetch four columns of w at four k
const BEYOND: u32 = 0x40000000;                   // a row that is outside of every image

// Applied to each result before it is stored: four values, the first for dx[at], in `channel`. e0 and e1 hold operands of
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

var<workgroup> dySlice: array<vec4f, TILE_M * DY_ROW>;    // [row, k / 4]
var<workgroup> wSlice: array<vec4f, TILE_K * W_ROW>;      // [k, column / 4]

// Pixels that a phase of the strides has: rows and columns of them in an image, and its first row and column.
struct Phase { down: u32, along: u32, row: u32, col: u32 }

// The last row and column whose windows reach pixel m of a phase by its first tap, and where that output's first vec4 is.
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
fn fetchDy(output: vec3u, back: vec3u) -> vec4f {
  if (output.x - back.x < p.P && output.y - back.y < p.Q) { return vec4f(dy[output.z - back.z]); }
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

// Four rows of dySlice, DOWN apart, at four k.
fn rowsAt(at: u32) -> mat4x4f {
  return mat4x4f(dySlice[at], dySlice[at + DOWN * DY_ROW], dySlice[at + 2 * DOWN * DY_ROW], dySlice[at + 3 * DOWN * DY_ROW]);
}

// = columnsOfW
// Four columns of wSlice at four k.
fn columnsAt(at: u32) -> mat4x4f {
  return mat4x4f(wSlice[at], wSlice[at + W_ROW], wSlice[at + 2 * W_ROW], wSlice[at + 3 * W_ROW]);
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

  // A thread fetches the same four k of its rows.
  let side = thread / DY_ROW;
  let output0 = outputOf(m0 + side, phase, g);
  let output1 = outputOf(m0 + side + STEP, phase, g);
  let output2 = outputOf(m0 + side + 2 * STEP, phase, g);
  let output3 = outputOf(m0 + side + 3 * STEP, phase, g);
  // The first threads fetch of w, at the same four k, four columns, and turn them.
  let column = column0 + 4 * side;
  let turns = thread < TURNED;
  let rowStride = p.O / 4;
  // k = (tapRow·tapCols + tapCol)·O/groups + o is walked: divisions at each fetch would cost a quarter of the time.
  let kLane = thread % DY_ROW * 4;
  var k = begin + kLane;
  var o = k % outputs;
  var tapCol = k / outputs % tapCols;
  var tapRow = k / outputs / tapCols;

  let tx = thread % ACROSS;    // computes columns 4·tx … + 3, and those 4·ACROSS further right,
  let ty = thread / ACROSS;    // of rows ty, ty + DOWN, …
  // Names, not an array: they are sure to stay in registers.
  var sum00 = mat4x4f(); var sum01 = mat4x4f();
  var sum10 = mat4x4f(); var sum11 = mat4x4f();
  var dy0 = vec4f(); var dy1 = vec4f(); var dy2 = vec4f(); var dy3 = vec4f();
  var w0 = vec4f(); var w1 = vec4f(); var w2 = vec4f(); var w3 = vec4f();

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    if (k0 > begin) {    // the loads of the turn before have arrived
      workgroupBarrier();
      dySlice[thread] = dy0;
      if (DY_LOADS > 1) { dySlice[thread + THREADS] = dy1; }
      if (DY_LOADS > 2) { dySlice[thread + 2 * THREADS] = dy2; dySlice[thread + 3 * THREADS] = dy3; }
      if (turns) {
        let at = kLane * W_ROW + side;
        let turned = transpose(mat4x4f(w0, w1, w2, w3));
        wSlice[at] = turned[0];
        wSlice[at + W_ROW] = turned[1];
        wSlice[at + 2 * W_ROW] = turned[2];
        wSlice[at + 3 * W_ROW] = turned[3];
      }
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
      if (turns && isInside && column < channels) {
        w0 = vec4f(w[at]);
        w1 = vec4f(w[at + rowStride]);
        w2 = vec4f(w[at + 2 * rowStride]);
        w3 = vec4f(w[at + 3 * rowStride]);
      } else {
        w0 = vec4f(); w1 = vec4f(); w2 = vec4f(); w3 = vec4f();
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

    for (var four = 0u; four < DY_ROW; four++) {    // of the slice's k
      let rowAt = ty * DY_ROW + four;
      let columnAt = 4 * four * W_ROW + tx;
      let a0 = rowsAt(rowAt);
      let b0 = columnsAt(columnAt);
      sum00 = add(sum00, a0, b0);
      if (COLS == 8) { sum01 = add(sum01, a0, columnsAt(columnAt + ACROSS)); }
      if (ROWS == 8) {
        let a1 = rowsAt(rowAt + 4 * DOWN * DY_ROW);
        sum10 = add(sum10, a1, b0);
        if (COLS == 8) { sum11 = add(sum11, a1, columnsAt(columnAt + ACROSS)); }
      }
    }
  }

  let m = m0 + ty;
  let c = g * channels + column0 + 4 * tx;
  let isColumn = column0 + 4 * tx < channels;
  let isFurther = column0 + 4 * tx + 4 * ACROSS < channels;
  if (isColumn) { store(m, c, phase, wg.z, sum00); }
  if (COLS == 8 && isFurther) { store(m, c + 4 * ACROSS, phase, wg.z, sum01); }
  if (ROWS == 8 && isColumn) { store(m + 4 * DOWN, c, phase, wg.z, sum10); }
  if (ROWS == 8 && COLS == 8 && isFurther) { store(m + 4 * DOWN, c + 4 * ACROSS, phase, wg.z, sum11); }
}

fn store(m: u32, c: u32, phase: Phase, split: u32, sum: mat4x4f) {
  storeRow(m, c, phase, split, sum[0]);
  storeRow(m + DOWN, c, phase, split, sum[1]);
  storeRow(m + 2 * DOWN, c, phase, split, sum[2]);
  storeRow(m + 3 * DOWN, c, phase, split, sum[3]);
}

fn storeRow(m: u32, c: u32, phase: Phase, split: u32, sum: vec4f) {
  let n = m / (phase.down * phase.along);
  let h = m / phase.along % phase.down * p.strideRows + phase.row;
  let v = m % phase.along * p.strideCols + phase.col;
  if (n >= p.N || h >= p.H || v >= p.W) { return; }
  let at = (((split * p.N + n) * p.H + h) * p.W + v) * p.C + c;
  if (SPLIT) { dx[at / 4] = vec4<Out>(sum); } else { dx[at / 4] = vec4<Out>(epilogue(sum, at, c)); }
}
