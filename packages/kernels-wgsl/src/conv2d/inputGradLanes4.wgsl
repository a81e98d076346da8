enable subgroups;
// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, p, q, o] · w[r, s, c, o])
//   over the r, s whose window at p, q covers the pixel:
//   p·strideRows = h + padTop − r·dilationRows,  q·strideCols = v + padLeft − s·dilationCols.
//
// For CPU rasterisers: one subgroup computes ROWS pixels × COLS channels of one group in
// registers, as the forward pass does. Its pixels lie a stride apart, so that a tap reaches all
// of them or none, and those that reach none are skipped.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     dx  [N, H, W, C]     dense, C / groups and O / groups multiples of 4
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / ROWS)
//             · groups · ceil(C / groups / COLS), spread over x and y

alias Elem = f32;
alias Elem4 = vec4<Elem>;
const LANES: u32 = 8;     // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = LANES * BLOCKS;
const COLS = LANES * 4;

// Applied to what is stored: four values at a time, the first of them dx[i], in channel o. e0 and e1 hold
// operands of dx's shape, or one value a channel.
alias V = vec4f;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: V, i: u32, o: u32) -> V { return value; }
fn dense0(i: u32) -> V { return V(e0[i / 4]); }
fn dense1(i: u32) -> V { return V(e1[i / 4]); }
fn channel0(o: u32) -> V { return V(e0[o / 4]); }
fn channel1(o: u32) -> V { return V(e1[o / 4]); }

struct Params {
  N: u32, H: u32, W: u32, C: u32,
  R: u32, S: u32, O: u32,
  P: u32, Q: u32,
  strideRows: u32, strideCols: u32,
  padTop: u32, padLeft: u32,
  dilationRows: u32, dilationCols: u32,
  groups: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<Elem4>;
@group(0) @binding(1) var<storage, read> w: array<Elem4>;
@group(0) @binding(2) var<storage, read> e0: array<vec4<E0>>;
@group(0) @binding(3) var<storage, read> e1: array<vec4<E1>>;
@group(0) @binding(4) var<storage, read_write> dx: array<Elem4>;
@group(0) @binding(5) var<uniform> p: Params;

var<private> sum: array<vec4f, ROWS>;    // four columns of each row

// Add four k of row i, whose values `v` have reached all lanes.
fn add(i: u32, v: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + v.x * b[0] + v.y * b[1] + v.z * b[2] + v.w * b[3];
}

// Add four k of LANES rows; lane l holds those of row l.
fn addRows(i: u32, v: vec4f, b: mat4x4f) {
  add(i, subgroupBroadcast(v, 0), b);
  add(i + 1, subgroupBroadcast(v, 1), b);
  add(i + 2, subgroupBroadcast(v, 2), b);
  add(i + 3, subgroupBroadcast(v, 3), b);
  if (LANES == 8) {
    add(i + 4, subgroupBroadcast(v, 4), b);
    add(i + 5, subgroupBroadcast(v, 5), b);
    add(i + 6, subgroupBroadcast(v, 6), b);
    add(i + 7, subgroupBroadcast(v, 7), b);
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let across = (channels + COLS - 1) / COLS;
  let tile = group.y * groups.x + group.x;
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
  let n = tile % across * COLS + 4 * lane;    // the first of this lane's four channels in the group
  let columns = (min(n, channels - 4) + vec4u(0, 1, 2, 3)) * p.O + g * outputs;

  var image: array<u32, BLOCKS>;
  var row: array<u32, BLOCKS>;
  var col: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = min(m0 + LANES * i + lane, M - 1);
    image[i] = m / (rows * cols) * p.P;
    row[i] = m / cols % rows * p.strideRows + phaseRow + p.padTop;
    col[i] = m % cols * p.strideCols + phaseCol + p.padLeft;
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
        let h = (row[i] - r * p.dilationRows) / p.strideRows;
        let v = (col[i] - s * p.dilationCols) / p.strideCols;
        inside[i] = h < p.P && v < p.Q;
        at[i] = (((image[i] + h) * p.Q + v) * p.O + g * outputs) / 4;
      }
      var weight = ((r * p.S + s) * channels * p.O + columns) / 4;
      let depth = select(outputs, 0, (restRow | restCol) != 0);
      for (var o = 0u; o < depth; o += 4) {
        let weights = transpose(mat4x4f(
          vec4f(w[weight.x]),
          vec4f(w[weight.y]),
          vec4f(w[weight.z]),
          vec4f(w[weight.w]),
        ));
        for (var i = 0u; i < BLOCKS; i++) {
          addRows(LANES * i, select(vec4f(), vec4f(dy[at[i]]), inside[i]), weights);
          at[i]++;
        }
        weight += 1;
      }
    }
  }

  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(ROWS, M - m0); i > 0; i--) {
    let m = m0 + i - 1;
    let h = m / cols % rows * p.strideRows + phaseRow;
    let v = m % cols * p.strideCols + phaseCol;
    let at = ((m / (rows * cols) * p.H + h) * p.W + v) * p.C + g * channels + n;
    if (h < p.H && v < p.W && n < channels) {
      dx[at / 4] = Elem4(epilogue(sum[i - 1], at, g * channels + n));
    }
  }
}
