enable subgroups;
// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// For CPU rasterisers and any number of channels: one subgroup computes ROWS channels in ×
// COLS channels out of one tap and split in registers, one m at a time.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   dispatch  splits · R · S · groups · ceil(C / groups / ROWS) · ceil(O / groups / COLS) over x and y

alias Elem = f32;
const SUBGROUP: u32 = 8;  // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = SUBGROUP * BLOCKS;
const COLS = SUBGROUP * 4;

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

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> dy: array<Elem>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<private> sum: array<vec4f, ROWS>;    // four columns of each row

// = addRowsBroadcast
// Add one k of SUBGROUP rows; lane l holds that of row l.
fn addRows(i: u32, own: f32, b: vec4f) {
  sum[i] += subgroupBroadcast(own, 0u) * b;
  sum[i + 1] += subgroupBroadcast(own, 1u) * b;
  sum[i + 2] += subgroupBroadcast(own, 2u) * b;
  sum[i + 3] += subgroupBroadcast(own, 3u) * b;
  if (SUBGROUP == 8) {
    sum[i + 4] += subgroupBroadcast(own, 4u) * b;
    sum[i + 5] += subgroupBroadcast(own, 5u) * b;
    sum[i + 6] += subgroupBroadcast(own, 6u) * b;
    sum[i + 7] += subgroupBroadcast(own, 7u) * b;
  }
}
// = end

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let M = p.N * p.P * p.Q;
  // In an image's row, the channels of neighbouring taps are neighbours: few of them count as one.
  let flat = p.groups == 1 && p.dilationCols == 1 && p.C < ROWS;
  let channels = select(p.C / p.groups, p.S * p.C, flat);
  let taps = select(p.S, 1, flat);
  let outputs = p.O / p.groups;
  let across = (outputs + COLS - 1) / COLS;
  let down = (channels + ROWS - 1) / ROWS;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  let c0 = tile / (across * p.groups) % down * ROWS;
  let tap = tile / (across * p.groups * down);    // of all splits: (split·R + r)·taps + s
  if (tap >= p.splits * p.R * taps) { return; }
  let top = tap / taps % p.R * p.dilationRows - p.padTop;
  let left = tap % taps * p.dilationCols - p.padLeft;
  let perSplit = (M + p.splits - 1) / p.splits;
  let begin = tap / (p.R * taps) * perSplit;
  let end = min(begin + perSplit, M);

  let column = tile % across * COLS + lane + SUBGROUP * vec4u(0, 1, 2, 3);    // this lane's channels in the group
  let columns = g * outputs + min(column, vec4u(outputs - 1));
  var channel: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    channel[i] = g * channels + min(c0 + SUBGROUP * i + lane, channels - 1);
  }

  var image = begin / (p.P * p.Q);
  var row = begin / p.Q % p.P;
  var col = begin % p.Q;
  for (var m = begin; m < end; m++) {
    let out = m * p.O + columns;
    let dys = vec4f(f32(dy[out.x]), f32(dy[out.y]), f32(dy[out.z]), f32(dy[out.w]));
    // Above and left of the image these wrap to a huge u32, so one `<` tests both edges.
    let h = row * p.strideRows + top;
    let pixel = (col * p.strideCols + left) * p.C;
    let line = (image * p.H + h) * p.W * p.C;
    for (var i = 0u; i < BLOCKS; i++) {
      let inside = h < p.H && pixel + channel[i] < p.W * p.C;
      addRows(SUBGROUP * i, select(0, f32(x[line + pixel + channel[i]]), inside), dys);
    }
    // One pixel on; a division here would cost more than the loads.
    let nextRow = col + 1 >= p.Q;
    col = select(col + 1, 0, nextRow);
    let nextImage = nextRow && row + 1 >= p.P;
    row = select(select(row, row + 1, nextRow), 0, nextImage);
    image = select(image, image + 1, nextImage);
  }

  let count = min(ROWS, channels - c0);
  for (var i = 0u; i < count; i++) {
    let at = ((tap * channels) + c0 + i) * p.O + g * outputs;
    for (var j = 0u; j < 4; j++) {
      if (column[j] < outputs) { partial[at + column[j]] = sum[i][j]; }
    }
  }
}
