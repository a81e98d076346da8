// partial[split, r, s, c, o] = Σ_m  x[n, h, v, g·C/groups + c] · dy[m, o],   m = (n·P + row)·Q + col
//   over the m of `split`;
//   h = row·strideRows + r·dilationRows − padTop,  v = col·strideCols + s·dilationCols − padLeft.
//
// For GPUs: a workgroup computes a TILE × TILE block of one split and group of the
// matrix [(r·S + s)·C/groups + c, o], each thread 8 × 4 of it in
// registers; both operands pass through workgroup memory in slices of DEPTH along k.
//
//   x  [N, H, W, C]     dy  [N, P, Q, O]     partial  [splits, R, S, C / groups, O]
//   dispatch  splits · groups · ceil(R·S·C / groups / TILE) · ceil(O / groups / TILE) over x and y

alias Elem = f32;
const TILE: u32 = 64;        // outputs along each side of a workgroup's tile
const DEPTH: u32 = 16;       // slice of k held in workgroup memory
const THREADS: u32 = 128;    // each computes 8 rows × 4 columns
const SIDE = TILE / 4;       // fours along a side of the tile
const ROW_STRIDE = SIDE + 1; // fours from one k to the next in memory: writes along k meet no bank twice

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

// = slicesOfTile
var<workgroup> aSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, row / 4]
var<workgroup> bSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, column / 4]
// = end
var<workgroup> places: array<vec3u, TILE>;    // top, left and channel of each row

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let M = p.N * p.P * p.Q;
  let channels = p.C / p.groups;
  let outputs = p.O / p.groups;
  let weights = p.R * p.S * channels;
  let across = (outputs + TILE - 1) / TILE;
  let down = (weights + TILE - 1) / TILE;
  let tile = wg.y * grid.x + wg.x;
  let g = tile / across % p.groups;
  let column0 = tile % across * TILE;
  let w0 = tile / (across * p.groups) % down * TILE;
  let split = tile / (across * p.groups * down);
  if (split >= p.splits) { return; }
  let perSplit = (M + p.splits - 1) / p.splits;
  let begin = split * perSplit;
  let end = min(begin + perSplit, M);
  let rowFour = thread / SIDE * 2;    // the first of two fours of rows that this thread computes,
  let colFour = thread % SIDE;        // and its four of columns

  for (var i = thread; i < TILE; i += THREADS) {
    let weight = w0 + i;
    let top = weight / (p.S * channels) * p.dilationRows - p.padTop;
    let left = weight / channels % p.S * p.dilationCols - p.padLeft;
    // Rows beyond the last one are outside of every image.
    places[i] = vec3u(select(top, 0x40000000, weight >= weights), left, g * channels + weight % channels);
  }
  workgroupBarrier();

  var sum: array<vec4f, 8>;    // [row], four columns each
  for (var m0 = begin; m0 < end; m0 += DEPTH) {
    // Neighbouring threads read neighbouring channels, of the image and of dy.
    let quad = thread % SIDE;    // the four rows that this thread fetches
    for (var j = thread / SIDE; j < DEPTH; j += THREADS / SIDE) {
      let m = m0 + j;
      let top = m / p.Q % p.P * p.strideRows;
      let left = m % p.Q * p.strideCols;
      let image = m / (p.P * p.Q) * p.H;
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let place = places[4 * quad + i];
        // Above and left of the image these wrap to a huge u32, so one `<` tests both edges.
        let h = top + place.x;
        let v = left + place.y;
        if (h < p.H && v < p.W && m < end) { four[i] = f32(x[((image + h) * p.W + v) * p.C + place.z]); }
      }
      aSlice[j * ROW_STRIDE + quad] = four;
    }
    for (var j = thread / SIDE; j < DEPTH; j += THREADS / SIDE) {
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let column = column0 + 4 * colFour + i;
        if (m0 + j < end && column < outputs) { four[i] = f32(dy[(m0 + j) * p.O + g * outputs + column]); }
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
    let weight = w0 + 4 * rowFour + i;
    for (var j = 0u; j < 4; j++) {
      let column = column0 + 4 * colFour + j;
      if (weight < weights && column < outputs) {
        partial[(split * weights + weight) * p.O + g * outputs + column] = sum[i][j];
      }
    }
  }
}
