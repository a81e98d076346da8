enable subgroups;
// partial[k, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + p)·Q + q
//   over the k-th of `splits` stretches of m;
//   h = p·strideRows + r·dilationRows − padTop,  v = q·strideCols + s·dilationCols − padLeft.
//
// For CPU rasterisers: one subgroup computes ROWS channels in × COLS channels out of one tap
// and stretch in registers. For four m at a time each lane loads four channels of one pixel, for
// each of BLOCKS, and four of each dy; pixels then reach all lanes by broadcast.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   C / groups and O / groups multiples of 4, Q at least 4
//   dispatch  splits · R · S · groups · ceil(C / groups / ROWS) · ceil(O / groups / COLS) over x and y

alias Elem = f32;
alias Elem4 = vec4<Elem>;
const LANES: u32 = 8;     // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = LANES * BLOCKS;
const COLS = LANES * 4;

struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32, O: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
  groups: u32, splits: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Elem4>;
@group(0) @binding(1) var<storage, read> dy: array<Elem4>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

var<private> sum: array<vec4f, ROWS>;    // four columns of each row

// Add four k of row i, whose values `v` have reached all lanes.
fn add(i: u32, v: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + v.x * b[0] + v.y * b[1] + v.z * b[2] + v.w * b[3];
}

// Add four k of LANES rows; lane l holds k = l mod 4 of the rows from 4·⌊l / 4⌋.
fn addRows(i: u32, v: vec4f, b: mat4x4f) {
  let first = transpose(mat4x4f(
    subgroupBroadcast(v, 0),
    subgroupBroadcast(v, 1),
    subgroupBroadcast(v, 2),
    subgroupBroadcast(v, 3),
  ));
  for (var j = 0u; j < 4; j++) { add(i + j, first[j], b); }
  if (LANES == 8) {
    let second = transpose(mat4x4f(
      subgroupBroadcast(v, 4),
      subgroupBroadcast(v, 5),
      subgroupBroadcast(v, 6),
      subgroupBroadcast(v, 7),
    ));
    for (var j = 0u; j < 4; j++) { add(i + 4 + j, second[j], b); }
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let M = p.N * p.P * p.Q;
  let channels = p.C / p.groups;
  let taps = p.S;
  let outputs = p.O / p.groups;
  let across = (outputs + COLS - 1) / COLS;
  let down = (channels + ROWS - 1) / ROWS;
  let tile = group.y * groups.x + group.x;
  let g = tile / across % p.groups;
  let c0 = tile / (across * p.groups) % down * ROWS;
  let tap = tile / (across * p.groups * down);    // of all stretches: (k·R + r)·taps + s
  if (tap >= p.splits * p.R * taps) { return; }
  let top = tap / taps % p.R * p.dilationRows - p.padTop;
  let left = tap % taps * p.dilationCols - p.padLeft;
  let stretch = (M + p.splits - 1) / p.splits;
  let begin = tap / (p.R * taps) * stretch;
  let end = min(begin + stretch, M);

  let n = tile % across * COLS + 4 * lane + vec4u(0, 1, 2, 3);    // this lane's channels in the group
  let column = g * outputs + min(n.x, outputs - 4);
  var channel: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    channel[i] = g * channels + min(c0 + LANES * i + lane / 4 * 4, channels - 4);
  }

  // This lane's pixel of every four.
  var m = begin + lane % 4;
  var image = m / (p.P * p.Q);
  var row = m / p.Q % p.P;
  var col = m % p.Q;
  var k = vec4u(0, 1, 2, 3) + begin;
  while (k.x < end) {
    let dys = mat4x4f(
      vec4f(dy[(k.x * p.O + column) / 4]),
      vec4f(dy[(k.y * p.O + column) / 4]),
      vec4f(dy[(k.z * p.O + column) / 4]),
      vec4f(dy[(k.w * p.O + column) / 4]),
    );
    let known = mat4x4f(
      dys[0],
      select(vec4f(), dys[1], k.y < end),
      select(vec4f(), dys[2], k.z < end),
      select(vec4f(), dys[3], k.w < end),
    );
    // Above and left of the image these wrap to a huge u32, so one `<` tests both edges.
    let h = row * p.strideRows + top;
    let v = col * p.strideCols + left;
    let inside = h < p.H && v < p.W && m < end;
    let at = ((image * p.H + h) * p.W + v) * p.C;
    for (var i = 0u; i < BLOCKS; i++) {
      addRows(LANES * i, select(vec4f(), vec4f(x[(at + channel[i]) / 4]), inside), known);
    }
    // Four pixels on; a division here would cost more than the loads.
    m += 4;
    k += 4;
    let nextRow = col + 4 >= p.Q;
    col = select(col + 4, col + 4 - p.Q, nextRow);
    let nextImage = nextRow && row + 1 >= p.P;
    row = select(select(row, row + 1, nextRow), 0, nextImage);
    image = select(image, image + 1, nextImage);
  }

  let count = min(ROWS, channels - c0);
  for (var i = 0u; i < count; i++) {
    let at = ((tap * channels) + c0 + i) * p.O + g * outputs;
    for (var j = 0u; j < 4; j++) {
      if (n[j] < outputs) { partial[at + n[j]] = sum[i][j]; }
    }
  }
}
