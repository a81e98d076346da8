enable subgroups;
// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// For CPU rasterisers: one subgroup computes ROWS channels in × COLS channels out of one tap
// and split in registers. For four m at a time each lane fetches four channels of one pixel, for
// each of BLOCKS, and four of each dy; pixels then reach all lanes by shuffling.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   C / groups and O / groups multiples of 4, Q at least 4
//   dispatch  splits · R · groups · (S · ceil(C / groups / ROWS), or ceil(S · C / ROWS) where flat)
//             · ceil(O / groups / COLS) over x and y

alias Elem = f32;
const SUBGROUP: u32 = 8;  // invocations in a subgroup: 8 or 4
const ACROSS: u32 = 8;    // lanes across, each with four columns; SUBGROUP / ACROSS rows of lanes down
const BLOCKS: u32 = 2;    // fours of rows that each lane fetches
const ROWS = SUBGROUP * BLOCKS;
const COLS = ACROSS * 4;
const SUMS = ACROSS * BLOCKS;

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

alias Texels = texture_storage_2d<rgba32float, read>;
@group(0) @binding(0) var x: Texels;
@group(0) @binding(1) var dy: Texels;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;
@group(0) @binding(3) var<uniform> p: Params;

// The first TEXELS_PER_ROW texels of an operand are zeros; then come its elements, by fours.
const TEXELS_PER_ROW: u32 = 4096;
fn place(i: u32) -> vec2u { return vec2u(i % TEXELS_PER_ROW, i / TEXELS_PER_ROW); }

var<private> sum: array<vec4f, SUMS>;    // four columns of each row

// Add four k of row i, whose values `own` have reached all lanes that need them.
fn add(i: u32, own: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + own.x * b[0] + own.y * b[1] + own.z * b[2] + own.w * b[3];
}

// Add four k of four rows, of which lane `first` + l holds k = l.
fn addFour(i: u32, own: vec4f, first: u32, b: mat4x4f) {
  let rows = transpose(mat4x4f(
    subgroupShuffle(own, first),
    subgroupShuffle(own, first + 1),
    subgroupShuffle(own, first + 2),
    subgroupShuffle(own, first + 3),
  ));
  add(i, rows[0], b);
  add(i + 1, rows[1], b);
  add(i + 2, rows[2], b);
  add(i + 3, rows[3], b);
}

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
  let down = (channels + ROWS - 1) / ROWS;
  let tile = wg.y * grid.x + wg.x;
  let tap = tile / (across * down);    // of all splits: (split·R + r)·taps + s
  if (tap >= p.splits * p.R * taps) { return; }
  let inTap = tile - tap * across * down;
  let c0 = inTap / across * ROWS;
  let strip = inTap % across;
  let g = strip / perGroup;
  let top = tap / taps % p.R * p.dilationRows - p.padTop;
  let left = tap % taps * p.dilationCols - p.padLeft;
  let perSplit = (M + p.splits - 1) / p.splits;
  let begin = tap / (p.R * taps) * perSplit;
  let end = min(begin + perSplit, M);

  let part = lane / ACROSS * ACROSS;    // of the lanes
  let column = (strip - g * perGroup) * COLS + 4 * (lane - part);    // this lane's first channel in the group
  let loaded = g * outputs + min(column, outputs - 4);
  var channel: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    channel[i] = select(g * channels, 0, flat) + min(c0 + SUBGROUP * i + lane / 4 * 4, channels - 4);
  }

  // This lane's pixel of every four.
  var m = begin + lane % 4;
  let line = m / p.Q;
  var image = line / p.P;
  var row = line - image * p.P;
  var col = m - line * p.Q;
  for (var first = begin; first < end; first += 4) {
    let outs = first + vec4u(0, 1, 2, 3);
    let at = select(vec4u(), TEXELS_PER_ROW + (outs * p.O + loaded) / 4, outs < vec4u(end));
    let dys = mat4x4f(
      textureLoad(dy, place(at.x)),
      textureLoad(dy, place(at.y)),
      textureLoad(dy, place(at.z)),
      textureLoad(dy, place(at.w)),
    );
    // Above and left of the image these wrap to a huge u32, so one `<` tests both edges.
    let h = row * p.strideRows + top;
    let pixel = (col * p.strideCols + left) * p.C;
    for (var i = 0u; i < BLOCKS; i++) {
      let inside = h < p.H && pixel + channel[i] < p.W * p.C && m < end;
      let texel = TEXELS_PER_ROW + ((image * p.H + h) * p.W * p.C + pixel + channel[i]) / 4;
      let pixels = textureLoad(x, place(select(0, texel, inside)));
      addFour(ACROSS * i, pixels, part, dys);
      if (ACROSS == 8) { addFour(ACROSS * i + 4, pixels, part + 4, dys); }
    }
    // Four pixels on; a division here would cost more than the loads.
    m += 4;
    let nextRow = col + 4 >= p.Q;
    col = select(col + 4, col + 4 - p.Q, nextRow);
    let nextImage = nextRow && row + 1 >= p.P;
    row = select(select(row, row + 1, nextRow), 0, nextImage);
    image = select(image, image + 1, nextImage);
  }

  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(SUMS, channels - c0); i > 0; i--) {
    let j = i - 1;
    let tier = j / ACROSS;
    let c = c0 + SUBGROUP * tier + part + j - ACROSS * tier;
    let at = (tap * channels + c) * p.O + loaded;
    if (c < channels && column < outputs) { partial[at / 4] = sum[j]; }
  }
}
