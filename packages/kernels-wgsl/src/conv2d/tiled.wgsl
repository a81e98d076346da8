// y[n, row, col, o] = epilogue(Σ_{r, s, c}  x[n, h, v, g·C/groups + c] · w[r, s, c, o])
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft,
//   g = the group of o;  x is zero outside the image.
//
// For GPUs: a workgroup computes a TILE × TILE block of one group of the matrix
// y[m, o],  m = (n·P + row)·Q + col,  k = (r·S + s)·C/groups + c, each thread 8 × 4 of it in
// registers; both operands pass through workgroup memory in slices of DEPTH along k.
//
//   x  [N, H, W, C]     w  [R, S, C / groups, O]
//   y  [N, P, Q, O]     all dense, row-major
//   dispatch  ceil(N·P·Q / TILE) · groups · ceil(O / groups / TILE) spread over x and y

alias Elem = f32;
const TILE: u32 = 64;        // outputs along each side of a workgroup's tile
const DEPTH: u32 = 16;       // slice of k held in workgroup memory
const THREADS: u32 = 128;    // each computes 8 rows × 4 columns
const SIDE = TILE / 4;       // fours along a side of the tile
const ROW_STRIDE = SIDE + 1; // fours from one k to the next in memory: writes along k meet no bank twice

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

// = slicesOfTile
var<workgroup> aSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, row / 4]
var<workgroup> bSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, column / 4]
// = end
var<workgroup> places: array<vec3u, TILE>;    // image, top and left of each row

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let M = p.N * p.P * p.Q;
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let K = p.R * p.S * channels;
  let across = (outputs + TILE - 1) / TILE;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  let m0 = tile / (across * p.groups) * TILE;
  let column0 = tile % across * TILE;    // in the group
  if (m0 >= M) { return; }
  let rowFour = thread / SIDE * 2;    // the first of two fours of rows that this thread computes,
  let colFour = thread % SIDE;        // and its four of columns

  for (var i = thread; i < TILE; i += THREADS) {
    let m = m0 + i;
    let top = m / p.Q % p.P * p.strideRows - p.padTop;
    // Rows beyond the last one are outside of every image.
    places[i] = vec3u(m / (p.P * p.Q) * p.H, select(top, 0x40000000, m >= M), m % p.Q * p.strideCols - p.padLeft);
  }
  workgroupBarrier();

  var sum: array<vec4f, 8>;    // [row], four columns each
  for (var k0 = 0u; k0 < K; k0 += DEPTH) {
    // Neighbouring threads read neighbouring channels: along k of the image, along o of w.
    let k = k0 + thread % DEPTH;
    let r = k / (p.S * channels);
    let s = k / channels % p.S;
    let c = g * channels + k % channels;
    for (var quad = thread / DEPTH; quad < SIDE; quad += THREADS / DEPTH) {
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let place = places[4 * quad + i];
        // Above and left of the image these have wrapped to a huge u32, so one `<` tests both edges.
        let h = place.y + r * p.dilationRows;
        let v = place.z + s * p.dilationCols;
        if (h < p.H && v < p.W && k < K) { four[i] = f32(x[((place.x + h) * p.W + v) * p.C + c]); }
      }
      aSlice[k % DEPTH * ROW_STRIDE + quad] = four;
    }
    for (var j = thread / SIDE; j < DEPTH; j += THREADS / SIDE) {
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let column = column0 + 4 * colFour + i;
        if (k0 + j < K && column < outputs) { four[i] = f32(w[(k0 + j) * p.O + g * outputs + column]); }
      }
      bSlice[j * ROW_STRIDE + colFour] = four;
    }
    workgroupBarrier();
    // = addSlice
    for (var depth = 0u; depth < DEPTH; depth++) {
      let b = bSlice[depth * ROW_STRIDE + colFour];
      for (var i = 0u; i < 2; i++) {
        let a = aSlice[depth * ROW_STRIDE + rowFour + i];
        sum[4 * i] += a.x * b;
        sum[4 * i + 1] += a.y * b;
        sum[4 * i + 2] += a.z * b;
        sum[4 * i + 3] += a.w * b;
      }
    }
    workgroupBarrier();
    // = end
  }

  for (var i = 0u; i < 8; i++) {
    let m = m0 + 4 * rowFour + i;
    for (var j = 0u; j < 4; j++) {
      let column = column0 + 4 * colFour + j;
      let o = g * outputs + column;
      let at = m * p.O + o;
      if (m < M && column < outputs) { y[at] = Elem(epilogue(sum[i][j], at, o)); }
    }
  }
}
