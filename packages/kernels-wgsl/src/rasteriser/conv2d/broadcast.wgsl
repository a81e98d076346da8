enable subgroups;
// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o])
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// For CPU rasterisers and any number of channels: one subgroup computes ROWS pixels
// m = (n·P + row)·Q + col × COLS channels of one group in registers; for one input channel of a tap,
// each lane loads BLOCKS pixels and four w, and pixels then reach all lanes by broadcast.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]
//   y  [N, P, Q, O]     all dense, row-major
//   dispatch  ceil(N·P·Q / ROWS) · groups · ceil(O / groups / COLS) spread over x and y

alias Elem = f32;
const SUBGROUP: u32 = 8;  // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = SUBGROUP * BLOCKS;
const COLS = SUBGROUP * 4;

// Applied to y[at], in `channel`, before it is stored. e0 and e1 hold operands of y's shape, or one value a channel.
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

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> w: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem>;
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
  let M = p.N * p.P * p.Q;
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let across = (outputs + COLS - 1) / COLS;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  let m0 = tile / (across * p.groups) * ROWS;
  if (m0 >= M) { return; }
  let column = tile % across * COLS + lane + SUBGROUP * vec4u(0, 1, 2, 3);    // this lane's channels in the group
  let columns = g * outputs + min(column, vec4u(outputs - 1));

  // Pixels beyond the last repeat it, and are not stored.
  var image: array<u32, BLOCKS>;
  var top: array<u32, BLOCKS>;
  var left: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = min(m0 + SUBGROUP * i + lane, M - 1);
    image[i] = m / (p.P * p.Q) * p.H;
    top[i] = m / p.Q % p.P * p.strideRows - p.padTop;
    left[i] = m % p.Q * p.strideCols - p.padLeft;
  }

  for (var r = 0u; r < p.R; r++) {
    for (var s = 0u; s < p.S; s++) {
      var at: array<u32, BLOCKS>;
      var inside: array<bool, BLOCKS>;
      for (var i = 0u; i < BLOCKS; i++) {
        // Above and left of the image these have wrapped to a huge u32, so one `<` tests both edges.
        let h = top[i] + r * p.dilationRows;
        let v = left[i] + s * p.dilationCols;
        inside[i] = h < p.H && v < p.W;
        at[i] = ((image[i] + h) * p.W + v) * p.C + g * channels;
      }
      var weight = (r * p.S + s) * channels * p.O + columns;
      for (var c = 0u; c < channels; c++) {
        let weights = vec4f(f32(w[weight.x]), f32(w[weight.y]), f32(w[weight.z]), f32(w[weight.w]));
        for (var i = 0u; i < BLOCKS; i++) {
          addRows(SUBGROUP * i, select(0, f32(x[at[i]]), inside[i]), weights);
          at[i]++;
        }
        weight += p.O;
      }
    }
  }

  let count = min(ROWS, M - m0);
  for (var i = 0u; i < count; i++) {
    for (var j = 0u; j < 4; j++) {
      let o = g * outputs + column[j];
      let at = (m0 + i) * p.O + o;
      if (column[j] < outputs) { y[at] = Elem(epilogue(sum[i][j], at, o)); }
    }
  }
}
