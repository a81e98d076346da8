enable subgroups;
// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o])
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols.
//
// For CPU rasterisers: one subgroup computes ROWS pixels × COLS channels of one group in
// registers, as the forward pass does. Its pixels lie a stride apart, so that a tap reaches all
// of them or none, and those that reach none are skipped.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     dx  [N, H, W, C]     dense
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / ROWS)
//             · groups · ceil(C / groups / COLS), spread over x and y

alias Elem = f32;
const SUBGROUP: u32 = 8;  // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = SUBGROUP * BLOCKS;
const COLS = SUBGROUP * 4;

// Applied to dx[at], in `channel`, before it is stored. e0 and e1 hold operands of dx's shape, or one value a channel.
// = epilogue
alias Vec = f32;
alias Bits = u32;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel]); }
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

@group(0) @binding(0) var<storage, read> dy: array<Elem>;
@group(0) @binding(1) var<storage, read> w: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> dx: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

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
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let across = (channels + COLS - 1) / COLS;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  // Pixels that are a stride apart form a grid of rows × cols per image; there is one for each phase.
  let rows = (p.H + p.strideRows - 1) / p.strideRows;
  let cols = (p.W + p.strideCols - 1) / p.strideCols;
  let M = p.N * rows * cols;
  let perPhase = (M + ROWS - 1) / ROWS;
  let part = tile / (across * p.groups);
  let phase = part / perPhase;
  if (phase >= p.strideRows * p.strideCols) { return; }
  let m0 = part % perPhase * ROWS;
  let phaseRow = phase / p.strideCols;
  let phaseCol = phase % p.strideCols;
  let column = tile % across * COLS + lane + SUBGROUP * vec4u(0, 1, 2, 3);    // this lane's channels in the group
  let columns = min(column, vec4u(channels - 1)) * p.O + g * outputs;

  var image: array<u32, BLOCKS>;
  var bottom: array<u32, BLOCKS>;
  var right: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = min(m0 + SUBGROUP * i + lane, M - 1);
    image[i] = m / (rows * cols) * p.P;
    bottom[i] = m / cols % rows * p.strideRows + phaseRow + p.padTop;
    right[i] = m % cols * p.strideCols + phaseCol + p.padLeft;
  }

  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < p.S; s++) {
      // All pixels of the tile agree on what the strides leave over.
      let restRow = (phaseRow + p.padTop + r * p.dilationRows * (p.strideRows - 1)) % p.strideRows;
      let restCol = (phaseCol + p.padLeft + s * p.dilationCols * (p.strideCols - 1)) % p.strideCols;
      var at: array<u32, BLOCKS>;
      var inside: array<bool, BLOCKS>;
      for (var i = 0u; i < BLOCKS; i++) {
        // Before the first output these wrap to a huge u32, which is beyond the last one too.
        let outRow = (bottom[i] - r * p.dilationRows) / p.strideRows;
        let outCol = (right[i] - s * p.dilationCols) / p.strideCols;
        inside[i] = outRow < p.P && outCol < p.Q;
        at[i] = ((image[i] + outRow) * p.Q + outCol) * p.O + g * outputs;
      }
      var weight = (r * p.S + s) * channels * p.O + columns;
      let depth = select(outputs, 0, (restRow | restCol) != 0);
      for (var o = 0u; o < depth; o++) {
        let weights = vec4f(f32(w[weight.x]), f32(w[weight.y]), f32(w[weight.z]), f32(w[weight.w]));
        for (var i = 0u; i < BLOCKS; i++) {
          addRows(SUBGROUP * i, select(0, f32(dy[at[i]]), inside[i]), weights);
          at[i]++;
        }
        weight += 1;
      }
    }
  }

  let count = min(ROWS, M - m0);
  for (var i = 0u; i < count; i++) {
    let h = (m0 + i) / cols % rows * p.strideRows + phaseRow;
    let v = (m0 + i) % cols * p.strideCols + phaseCol;
    if (h >= p.H || v >= p.W) { continue; }
    let m = ((m0 + i) / (rows * cols) * p.H + h) * p.W + v;
    for (var j = 0u; j < 4; j++) {
      let c = g * channels + column[j];
      let at = m * p.C + c;
      if (column[j] < channels) { dx[at] = Elem(epilogue(sum[i][j], at, c)); }
    }
  }
}
