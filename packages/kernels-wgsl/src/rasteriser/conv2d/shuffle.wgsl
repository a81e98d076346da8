enable subgroups;
// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o])
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// For CPU rasterisers: the register tile of the matrix product beside this (matmul/shuffle), where
// row m = (n·P + row)·Q + col is a pixel of y. One subgroup computes ROWS pixels × COLS channels of
// one group; for four input channels of a tap, each lane fetches those of BLOCKS pixels and four w.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]     y  [N, P, Q, O]
//   all dense, row-major; C / groups and O / groups multiples of 4, the former at most 4 · TEXELS_PER_ROW
//   dispatch  ceil(N·P·Q / ROWS) · groups · ceil(O / groups / COLS) spread over x and y

alias Elem = f32;
alias StoredVec = vec4<Elem>;
const SUBGROUP: u32 = 8;    // invocations in a subgroup: 8 or 4
const ACROSS: u32 = 8;      // lanes across, each with four columns; SUBGROUP / ACROSS rows of lanes down
const BLOCKS: u32 = 2;      // rows that each lane fetches
const ROWS = SUBGROUP * BLOCKS;
const COLS = ACROSS * 4;
const SUMS = ACROSS * BLOCKS;

// Applied to each result before it is stored: four values at a time, the first for y[at], in `channel`. e0 and e1 hold
// operands of y's shape, or one value a channel.
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
@group(0) @binding(0) var x: Texels;
@group(0) @binding(1) var w: Texels;
@group(0) @binding(2) var e0: Texels0;
@group(0) @binding(3) var e1: Texels1;
@group(0) @binding(4) var<storage, read_write> y: array<StoredVec>;
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
  // = flatTaps
  let M = p.N * p.P * p.Q;
  // In an image's row, the channels of neighbouring taps are neighbours: they count as one tap's.
  let flat = p.groups == 1 && p.dilationCols == 1;
  let channels = select(p.C / p.groups, p.S * p.C, flat);
  let taps = select(p.S, 1, flat);
  let outputs = p.O / p.groups;
  let perGroup = (outputs + COLS - 1) / COLS;
  let across = perGroup * p.groups;
  // = end
  let down = (M + ROWS - 1) / ROWS;
  let tile = wg.y * grid.x + wg.x;
  if (tile >= across * down) { return; }
  // The larger operand is read once, the smaller one again and again.
  let rowsFirst = p.O > M;
  let inner = select(across, down, rowsFirst);
  let outer = tile / inner;
  let rest = tile - outer * inner;
  let m0 = select(outer, rest, rowsFirst) * ROWS;
  let strip = select(rest, outer, rowsFirst);
  let g = strip / perGroup;
  let part = lane / ACROSS * ACROSS;    // of the lanes
  let column = (strip - g * perGroup) * COLS + 4 * (lane - part);    // this lane's first channel in the group
  let loaded = g * outputs + min(column, outputs - 4);

  // Pixels beyond the last repeat it, and are not stored.
  var image: array<u32, BLOCKS>;
  var top: array<u32, BLOCKS>;
  var left: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = min(m0 + SUBGROUP * i + lane, M - 1);
    let line = m / p.Q;
    let first = line / p.P;
    image[i] = first * p.H;
    top[i] = (line - first * p.P) * p.strideRows - p.padTop;
    left[i] = (m - line * p.Q) * p.strideCols - p.padLeft;
  }

  let step = p.O / 4;
  let pixel = p.C / 4;    // texels
  let width = p.W * pixel;
  var weight = TEXELS_PER_ROW + loaded / 4;
  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < taps; s++) {
      var start: array<u32, BLOCKS>;    // of the line
      var at: array<u32, BLOCKS>;       // in the line
      for (var i = 0u; i < BLOCKS; i++) {
        // Above and left of the image these have wrapped to a huge u32, so one `<` tests both edges.
        let h = top[i] + r * p.dilationRows;
        start[i] = TEXELS_PER_ROW + (image[i] + h) * width;
        let v = left[i] + s * p.dilationCols;
        at[i] = select(width, v * pixel + g * channels / 4, h < p.H);
      }
      for (var c = 0u; c < channels; c += 4) {
        let weights = mat4x4f(
          textureLoad(w, place(weight)),
          textureLoad(w, place(weight + step)),
          textureLoad(w, place(weight + 2 * step)),
          textureLoad(w, place(weight + 3 * step)),
        );
        for (var i = 0u; i < BLOCKS; i++) {
          let texel = select(0, start[i] + at[i], at[i] < width);
          addRows(ACROSS * i, textureLoad(x, place(texel)), part, weights);
          at[i]++;
        }
        weight += p.O;
      }
    }
  }

  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(SUMS, M - m0); i > 0; i--) {
    let j = i - 1;
    let tier = j / ACROSS;
    let m = m0 + SUBGROUP * tier + part + j - ACROSS * tier;
    let at = m * p.O + loaded;
    if (m < M && column < outputs) { y[at / 4] = StoredVec(epilogue(sum[j], at, loaded)); }
  }
}
