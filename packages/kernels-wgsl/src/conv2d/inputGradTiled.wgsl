// dx[n, h, v, c] = epilogue(Σ_{r, s, o}  dy[n, row, col, o] · w[r, s, c, o])
//   over the r, s whose window at row, col covers the pixel:
//   row·strideRows = h + padTop − r·dilationRows,  col·strideCols = v + padLeft − s·dilationCols.
//
// For GPUs: a workgroup computes a TILE × TILE block of one group of dx[m, c], each thread 8 × 4 of it in
// registers; both operands pass through workgroup memory in slices of DEPTH along k. The pixels m
// of a tile lie a stride apart, so that a tap reaches all of them or none, and is skipped then.
//
//   dy  [N, P, Q, O]     w  [R, S, C / groups, O]     dx  [N, H, W, C]     all dense, row-major
//   dispatch  strideRows·strideCols · ceil(N·⌈H/strideRows⌉·⌈W/strideCols⌉ / TILE)
//             · groups · ceil(C / groups / TILE), spread over x and y

alias Elem = f32;
const TILE: u32 = 64;        // outputs along each side of a workgroup's tile
const DEPTH: u32 = 16;       // slice of k held in workgroup memory
const THREADS: u32 = 128;    // each computes 8 rows × 4 columns
const SIDE = TILE / 4;       // fours along a side of the tile
const ROW_STRIDE = SIDE + 1; // fours from one k to the next in memory: writes along k meet no bank twice

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

// = slicesOfTile
var<workgroup> aSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, row / 4]
var<workgroup> bSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, column / 4]
// = end
var<workgroup> places: array<vec3u, TILE>;    // image, bottom and right of each row

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let across = (channels + TILE - 1) / TILE;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  let column0 = tile % across * TILE;
  // Pixels that are a stride apart form a grid of down × along per image; there is one for each phase.
  let down = (p.H + p.strideRows - 1) / p.strideRows;
  let along = (p.W + p.strideCols - 1) / p.strideCols;
  let M = p.N * down * along;
  let perPhase = (M + TILE - 1) / TILE;
  let part = tile / (across * p.groups);
  let phase = part / perPhase;
  if (phase >= p.strideRows * p.strideCols) { return; }
  let m0 = part % perPhase * TILE;
  let phaseRow = phase / p.strideCols;
  let phaseCol = phase % p.strideCols;
  let rowFour = thread / SIDE * 2;    // the first of two fours of rows that this thread computes,
  let colFour = thread % SIDE;        // and its four of columns

  for (var i = thread; i < TILE; i += THREADS) {
    let m = m0 + i;
    let bottom = m / along % down * p.strideRows + phaseRow + p.padTop;
    // Rows beyond the last one are reached by no window.
    let right = m % along * p.strideCols + phaseCol + p.padLeft;
    places[i] = vec3u(m / (down * along) * p.P, select(bottom, 0x40000000, m >= M), right);
  }
  workgroupBarrier();

  var sum: array<vec4f, 8>;    // [row], four columns each
  for (var r = 0u; r < p.R; r++) {
    if ((phaseRow + p.padTop + r * p.dilationRows * (p.strideRows - 1)) % p.strideRows != 0) { continue; }
    for (var s = 0u; s < p.S; s++) {
      if ((phaseCol + p.padLeft + s * p.dilationCols * (p.strideCols - 1)) % p.strideCols != 0) { continue; }
      for (var o0 = 0u; o0 < outputs; o0 += DEPTH) {
        // Neighbouring threads read neighbouring channels o, of dy and of w.
        let o = o0 + thread % DEPTH;
        for (var quad = thread / DEPTH; quad < SIDE; quad += THREADS / DEPTH) {
          var pixels = vec4f();
          var weights = vec4f();
          for (var i = 0u; i < 4; i++) {
            let place = places[4 * quad + i];
            // Before the first output these wrap to a huge u32, which is beyond the last one too.
            let row = (place.y - r * p.dilationRows) / p.strideRows;
            let col = (place.z - s * p.dilationCols) / p.strideCols;
            if (row < p.P && col < p.Q && o < outputs) {
              pixels[i] = f32(dy[((place.x + row) * p.Q + col) * p.O + g * outputs + o]);
            }
            let column = column0 + 4 * quad + i;
            if (column < channels && o < outputs) {
              weights[i] = f32(w[((r * p.S + s) * channels + column) * p.O + g * outputs + o]);
            }
          }
          aSlice[o % DEPTH * ROW_STRIDE + quad] = pixels;
          bSlice[o % DEPTH * ROW_STRIDE + quad] = weights;
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
    }
  }

  for (var i = 0u; i < 8; i++) {
    let m = m0 + 4 * rowFour + i;
    let h = m / along % down * p.strideRows + phaseRow;
    let v = m % along * p.strideCols + phaseCol;
    if (m >= M || h >= p.H || v >= p.W) { continue; }
    let pixel = (m / (down * along) * p.H + h) * p.W + v;
    for (var j = 0u; j < 4; j++) {
      let column = column0 + 4 * colFour + j;
      let c = g * channels + column;
      let at = pixel * p.C + c;
      if (column < channels) { dx[at] = Elem(epilogue(sum[i][j], at, c)); }
    }
  }
}
