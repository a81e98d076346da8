// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// For GPUs: a workgroup computes a TILE × TILE block of y, each thread 8 × 4 of it in
// registers; both operands pass through workgroup memory in slices of DEPTH along k.
//
//   a b  anywhere in their buffers, by strides: transposed, or repeated over batches by a stride of 0
//   y    [batch, M, N], dense, row-major
//   dispatch  batch · ceil(M / TILE) · ceil(N / TILE) spread over x and y

alias Elem = f32;
const TILE: u32 = 64;        // outputs along each side of a workgroup's tile
const DEPTH: u32 = 16;       // slice of k held in workgroup memory
const THREADS: u32 = 128;    // each computes 8 rows × 4 columns
const SIDE = TILE / 4;       // fours along a side of the tile
const BLOCK: u32 = 256;      // slices that are summed in sequence
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

// Batches have up to 4 axes, last one first: their sizes, and the strides of a and b along them.
// = productParams
struct Params {
  batch: vec4u, aBatch: vec4u, bBatch: vec4u,
  M: u32, N: u32, K: u32,
  aRow: u32, aCol: u32, bRow: u32, bCol: u32,
}
// = end

@group(0) @binding(0) var<storage, read> a: array<Elem>;
@group(0) @binding(1) var<storage, read> b: array<Elem>;
@group(0) @binding(2) var<storage, read> e0: array<E0>;
@group(0) @binding(3) var<storage, read> e1: array<E1>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem>;
@group(0) @binding(5) var<uniform> p: Params;

// = begin
// First element of batch z of an operand with these strides.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return steps.x + steps.y + steps.z + steps.w;
}
// = end

// = slicesOfTile
var<workgroup> aSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, row / 4]
var<workgroup> bSlice: array<vec4f, DEPTH * ROW_STRIDE>;    // [k, column / 4]
// = end

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let across = (p.N + TILE - 1) / TILE;
  let down = (p.M + TILE - 1) / TILE;
  let tile = wg.y * grid.x + wg.x;
  let z = tile / (across * down);
  if (z >= p.batch.x * p.batch.y * p.batch.z * p.batch.w) { return; }
  let m0 = tile / across % down * TILE;
  let n0 = tile % across * TILE;
  let aBegin = begin(z, p.aBatch);
  let bBegin = begin(z, p.bBatch);
  let rowFour = thread / SIDE * 2;    // the first of two fours of rows that this thread computes,
  let colFour = thread % SIDE;        // and its four of columns

  var sum: array<vec4f, 8>;    // [row], four columns each, of this block of k
  var total: array<vec4f, 8>;
  for (var k0 = 0u; k0 < p.K; k0 += DEPTH) {
    // Neighbouring threads read neighbours along k of a and along n of b.
    let k = k0 + thread % DEPTH;
    for (var quad = thread / DEPTH; quad < SIDE; quad += THREADS / DEPTH) {
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let m = m0 + 4 * quad + i;
        if (k < p.K && m < p.M) { four[i] = f32(a[aBegin + m * p.aRow + k * p.aCol]); }
      }
      aSlice[k % DEPTH * ROW_STRIDE + quad] = four;
    }
    for (var j = thread / SIDE; j < DEPTH; j += THREADS / SIDE) {
      var four = vec4f();
      for (var i = 0u; i < 4; i++) {
        let n = n0 + 4 * colFour + i;
        if (k0 + j < p.K && n < p.N) { four[i] = f32(b[bBegin + (k0 + j) * p.bRow + n * p.bCol]); }
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
    if (k0 / DEPTH % BLOCK == BLOCK - 1) {
      for (var i = 0u; i < 8; i++) {
        total[i] += sum[i];
        sum[i] = vec4f();
      }
    }
  }

  for (var i = 0u; i < 8; i++) {
    let row = total[i] + sum[i];
    let m = m0 + 4 * rowFour + i;
    for (var j = 0u; j < 4; j++) {
      let n = n0 + 4 * colFour + j;
      if (m < p.M && n < p.N) {
        let at = (z * p.M + m) * p.N + n;
        y[at] = Elem(epilogue(row[j], at, n));
      }
    }
  }
}
