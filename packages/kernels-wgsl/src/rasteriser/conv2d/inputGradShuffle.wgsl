enable subgroups;
// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o])
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols.
//
// For CPU rasterisers: one subgroup computes ROWS pixels × COLS channels of one group in
// registers, as the forward pass does. Its pixels lie a stride apart, so that a tap reaches all
// of them or none, and those that reach none are skipped.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     dx  [N, H, W, C]
//   all dense, row-major; C / groups and O / groups multiples of 4, the latter at most 4 · TEXELS_PER_ROW
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / ROWS)
//             · groups · ceil(C / groups / COLS), spread over x and y

alias Elem = f32;
alias StoredVec = vec4<Elem>;
const SUBGROUP: u32 = 8;    // invocations in a subgroup: 8 or 4
const ACROSS: u32 = 8;      // lanes across, each with four columns; SUBGROUP / ACROSS rows of lanes down
const BLOCKS: u32 = 2;      // rows that each lane fetches
const ROWS = SUBGROUP * BLOCKS;
const COLS = ACROSS * 4;
const SUMS = ACROSS * BLOCKS;

// Applied to each result before it is stored: four values at a time, the first for dx[at], in `channel`. e0 and e1 hold
// operands of dx's shape, or one value a channel.
// = epilogueOfTexels
alias Vec = vec4f;
alias Bits = vec4u;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return textureLoad(e0, place(TEXELS_PER_ROW + at / 4)); }
fn dense1(at: u32) -> Vec { return textureLoad(e1, place(TEXELS_PER_ROW + at / 4)); }
fn channel0(channel: u32) -> Vec { return textureLoad(e0, place(TEXELS_PER_ROW + channel / 4)); }
fn channel1(channel: u32) -> Vec { return textureLoad(e1, place(TEXELS_PER_ROW + channel / 4)); }
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

alias Texels = texture_storage_2d<rgba32float, read>;
alias Texels0 = texture_storage_2d<rgba32float, read>;
alias Texels1 = texture_storage_2d<rgba32float, read>;
@group(0) @binding(0) var dy: Texels;
@group(0) @binding(1) var w: Texels;
@group(0) @binding(2) var e0: Texels0;
@group(0) @binding(3) var e1: Texels1;
@group(0) @binding(4) var<storage, read_write> dx: array<StoredVec>;
@group(0) @binding(5) var<uniform> p: Params;

// The first TEXELS_PER_ROW texels of an operand are zeros; then come its elements, by fours.
const TEXELS_PER_ROW: u32 = 4096;
fn place(i: u32) -> vec2u { return vec2u(i % TEXELS_PER_ROW, i / TEXELS_PER_ROW); }

var<private> sum: array<vec4f, SUMS>;    // four columns of each row

// Add four k of row i, whose values `own` have reached all lanes that need them.
fn add(i: u32, own: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + own.x * b[0] + own.y * b[1] + own.z * b[2] + own.w * b[3];
}

// = addRowsShuffled
// Add four k of SUBGROUP rows, of which lane l holds row l and needs those from `first`.
fn addRows(i: u32, own: vec4f, first: u32, b: mat4x4f) {
  add(i, subgroupShuffle(own, first), b);
  add(i + 1, subgroupShuffle(own, first + 1), b);
  add(i + 2, subgroupShuffle(own, first + 2), b);
  add(i + 3, subgroupShuffle(own, first + 3), b);
  if (ACROSS == 8) {
    add(i + 4, subgroupShuffle(own, first + 4), b);
    add(i + 5, subgroupShuffle(own, first + 5), b);
    add(i + 6, subgroupShuffle(own, first + 6), b);
    add(i + 7, subgroupShuffle(own, first + 7), b);
  }
}
// = end

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  // Pixels that are a stride apart form a grid of rows × cols per image; there is one for each phase.
  let rows = (p.H + p.strideRows - 1) / p.strideRows;
  let cols = (p.W + p.strideCols - 1) / p.strideCols;
  let M = p.N * rows * cols;
  let perGroup = (channels + COLS - 1) / COLS;
  let across = perGroup * p.groups;
  let down = (M + ROWS - 1) / ROWS;
  let tile = wg.y * grid.x + wg.x;
  let phase = tile / (across * down);
  if (phase >= p.strideRows * p.strideCols) { return; }
  let phaseRow = phase / p.strideCols;
  let phaseCol = phase - phaseRow * p.strideCols;
  // The larger operand is read once, the smaller one again and again.
  let rowsFirst = p.C > M;
  let inner = select(across, down, rowsFirst);
  let inPhase = tile - phase * across * down;
  let outer = inPhase / inner;
  let rest = inPhase - outer * inner;
  let m0 = select(outer, rest, rowsFirst) * ROWS;
  let strip = select(rest, outer, rowsFirst);
  let g = strip / perGroup;
  let part = lane / ACROSS * ACROSS;    // of the lanes
  let column = (strip - g * perGroup) * COLS + 4 * (lane - part);    // this lane's first channel in the group
  let columns = (min(column, channels - 4) + vec4u(0, 1, 2, 3)) * p.O + g * outputs;

  var image: array<u32, BLOCKS>;
  var row: array<u32, BLOCKS>;
  var col: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = min(m0 + SUBGROUP * i + lane, M - 1);
    let line = m / cols;
    let first = line / rows;
    image[i] = first * p.P;
    row[i] = line - first * rows;
    col[i] = m - line * cols;
  }

  for (var r = 0u; r < p.R; r++) {
    // All pixels of the tile agree on what the strides leave over, and on how many outputs on they meet.
    let top = i32(phaseRow + p.padTop) - i32(r * p.dilationRows);
    let rowsOn = u32(top / i32(p.strideRows));
    let meetsRow = top == i32(rowsOn) * i32(p.strideRows);
    for (var s = 0u; s < p.S; s++) {
      let left = i32(phaseCol + p.padLeft) - i32(s * p.dilationCols);
      let colsOn = u32(left / i32(p.strideCols));
      let meets = meetsRow && left == i32(colsOn) * i32(p.strideCols);
      var at: array<u32, BLOCKS>;
      for (var i = 0u; i < BLOCKS; i++) {
        // Before the first output these wrap to a huge u32, which is beyond the last one too.
        let outRow = row[i] + rowsOn;
        let outCol = col[i] + colsOn;
        let texel = (((image[i] + outRow) * p.Q + outCol) * p.O + g * outputs) / 4;
        at[i] = select(0, TEXELS_PER_ROW + texel, outRow < p.P && outCol < p.Q);
      }
      var weight = TEXELS_PER_ROW + ((r * p.S + s) * channels * p.O + columns) / 4;
      let depth = select(0, outputs, meets);
      for (var o = 0u; o < depth; o += 4) {
        let weights = transpose(mat4x4f(
          textureLoad(w, place(weight.x)),
          textureLoad(w, place(weight.y)),
          textureLoad(w, place(weight.z)),
          textureLoad(w, place(weight.w)),
        ));
        for (var i = 0u; i < BLOCKS; i++) {
          addRows(ACROSS * i, textureLoad(dy, place(at[i])), part, weights);
          at[i]++;
        }
        weight += 1;
      }
    }
  }

  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(SUMS, M - m0); i > 0; i--) {
    let j = i - 1;
    let tier = j / ACROSS;
    let m = m0 + SUBGROUP * tier + part + j - ACROSS * tier;
    let line = m / cols;
    let first = line / rows;
    let h = (line - first * rows) * p.strideRows + phaseRow;
    let v = (m - line * cols) * p.strideCols + phaseCol;
    let at = ((first * p.H + h) * p.W + v) * p.C + g * channels + column;
    if (m < M && h < p.H && v < p.W && column < channels) {
      dx[at / 4] = StoredVec(epilogue(sum[j], at, g * channels + column));
    }
  }
}
