// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// For GPUs: a workgroup computes TILE_M rows (r·S + s)·C/groups + c by TILE_N columns o of one split and group,
// each thread ROWS × COLS of them in registers. Slices of TILE_K pixels m pass through workgroup memory in vec4;
// the next one is fetched into registers while this one is multiplied.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   C / groups and O / groups multiples of 4
//   dispatch  splits · groups · ceil(R·S·C / groups / TILE_M) · ceil(O / groups / TILE_N) over x and y

alias Elem = f32;
const TILE_M: u32 = 64;
const TILE_N: u32 = 64;
const TILE_K: u32 = 16;
const ROWS: u32 = 4;                              // 4 or 8
const COLS: u32 = 4;                              // 4 or 8
const ACROSS = TILE_N / COLS;                     // threads along a row of the tile
const DOWN = TILE_M / ROWS;
const THREADS = ACROSS * DOWN;
const X_ROW = TILE_M / 4;                         // vec4 at one k of a slice
const DY_ROW = TILE_N / 4;
const X_LOADS = TILE_K * X_ROW / THREADS;         // vec4 that a thread fetches of a slice: at most 4
const DY_LOADS = TILE_K * DY_ROW / THREADS;       // at most 2
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

var<workgroup> xSlice: array<vec4f, TILE_K * X_ROW>;      // [k, row / 4]
var<workgroup> dySlice: array<vec4f, TILE_K * DY_ROW>;    // [k, column / 4]

var<workgroup> pixels: array<vec3u, TILE_K>;              // of x, for each k: row, column and first element

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
fn fetchX(weight: vec3u, k: u32) -> vec4f {
  let pixel = pixels[k];
  if (pixel.x + weight.x < p.H && pixel.y + weight.y < p.W) { return vec4f(x[(pixel.z + weight.z) / 4]); }
  return vec4f();
}

fn fetchDy(at: u32, isInside: bool) -> vec4f {
  if (isInside) { return vec4f(dy[at]); }
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

// Four rows of xSlice at four k: memory has the rows of a k beside one another.
fn rowsAt(at: u32) -> mat4x4f {
  return transpose(mat4x4f(xSlice[at], xSlice[at + X_ROW], xSlice[at + 2 * X_ROW], xSlice[at + 3 * X_ROW]));
}

// Four columns of dySlice at four k.
fn columnsAt(at: u32) -> mat4x4f {
  return mat4x4f(dySlice[at], dySlice[at + DY_ROW], dySlice[at + 2 * DY_ROW], dySlice[at + 3 * DY_ROW]);
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

  let tx = thread % ACROSS;    // computes columns 4·tx … + 3, and those 4·ACROSS further right,
  let ty = thread / ACROSS;    // of rows 4·ty … + 3, and those 4·DOWN further down
  // Names, not an array: they are sure to stay in registers.
  var sum00 = mat4x4f(); var sum01 = mat4x4f();
  var sum10 = mat4x4f(); var sum11 = mat4x4f();
  var x0 = vec4f(); var x1 = vec4f(); var x2 = vec4f(); var x3 = vec4f();
  var dy0 = vec4f(); var dy1 = vec4f();

  for (var k0 = begin; k0 < end + TILE_K; k0 += TILE_K) {
    let isFirst = k0 == begin;
    workgroupBarrier();
    if (!isFirst) {    // the loads of the turn before have arrived
      xSlice[thread] = x0;
      if (X_LOADS > 1) { xSlice[thread + THREADS] = x1; }
      if (X_LOADS > 2) { xSlice[thread + 2 * THREADS] = x2; xSlice[thread + 3 * THREADS] = x3; }
      dySlice[thread] = dy0;
      if (DY_LOADS > 1) { dySlice[thread + THREADS] = dy1; }
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
      dyK += TILE_K;
      // One thread divides for all that fetch at its k.
      if (thread < TILE_K) { pixel = pixelOf(k0 + TILE_K + thread, end); }
    }
    if (isFirst) { continue; }

    for (var k = 0u; k < TILE_K; k += 4) {
      let rowAt = k * X_ROW + ty;
      let columnAt = k * DY_ROW + tx;
      let a0 = rowsAt(rowAt);
      let b0 = columnsAt(columnAt);
      sum00 = add(sum00, a0, b0);
      if (COLS == 8) { sum01 = add(sum01, a0, columnsAt(columnAt + ACROSS)); }
      if (ROWS == 8) {
        let a1 = rowsAt(rowAt + DOWN);
        sum10 = add(sum10, a1, b0);
        if (COLS == 8) { sum11 = add(sum11, a1, columnsAt(columnAt + ACROSS)); }
      }
    }
  }

  let weightRow = w0 + 4 * ty;
  let columnOut = column0 + 4 * tx;
  store(weightRow, columnOut, g, split, sum00);
  if (COLS == 8) { store(weightRow, columnOut + 4 * ACROSS, g, split, sum01); }
  if (ROWS == 8) { store(weightRow + 4 * DOWN, columnOut, g, split, sum10); }
  if (ROWS == 8 && COLS == 8) { store(weightRow + 4 * DOWN, columnOut + 4 * ACROSS, g, split, sum11); }
}

// Four rows: weights are multiples of 4.
fn store(row: u32, column: u32, g: u32, split: u32, sum: mat4x4f) {
  let weights = p.R * p.S * (p.C / p.groups);
  let outputs = p.O / p.groups;
  if (row >= weights || column >= outputs) { return; }
  let rowStride = p.O / 4;
  let at = (split * weights + row) * rowStride + (g * outputs + column) / 4;
  partial[at] = sum[0];
  partial[at + rowStride] = sum[1];
  partial[at + 2 * rowStride] = sum[2];
  partial[at + 3 * rowStride] = sum[3];
}
