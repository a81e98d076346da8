enable subgroups;
// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// For CPU rasterisers and any strides: one subgroup computes ROWS rows × COLS columns in
// registers. For one k each lane loads the values of BLOCKS rows and of four columns; those of the
// rows then reach all lanes by broadcast.
//
//   a b  anywhere in their buffers, by strides: transposed, or repeated over batches by a stride of 0
//   y    [batch, M, N], dense, row-major
//   dispatch  batch · ceil(M / ROWS) · ceil(N / COLS) spread over x and y

alias Elem = f32;
const SUBGROUP: u32 = 8;  // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = SUBGROUP * BLOCKS;
const COLS = SUBGROUP * 4;
const BLOCK: u32 = 4096;       // k that are summed in sequence
const IN_BLOCKS: bool = true;  // false where all k are one block: a third less to compile

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

var<private> sum: array<vec4f, ROWS>;    // four columns of each row, of this block of k
var<private> total: array<vec4f, ROWS>;

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

fn endBlock() {
  for (var i = 0u; i < ROWS; i++) {
    total[i] += sum[i];
    sum[i] = vec4f();
  }
}

// = blocksOfProduct
fn result(i: u32) -> vec4f {
  if (IN_BLOCKS) { return total[i]; }
  return sum[i];
}

@compute @workgroup_size(SUBGROUP)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let across = (p.N + COLS - 1) / COLS;
  let down = (p.M + ROWS - 1) / ROWS;
  let tile = wg.y * grid.x + wg.x;
  let z = tile / (across * down);
  if (z >= p.batch.x * p.batch.y * p.batch.z * p.batch.w) { return; }
// = end
  let m0 = tile / across % down * ROWS;
  let K = p.K;
  // Rows and columns beyond the edge repeat the last one, and are not stored.
  let n = SUBGROUP * vec4u(0, 1, 2, 3) + tile % across * COLS + lane;
  let cols = min(n, vec4u(p.N - 1)) * p.bCol + begin(z, p.bBatch);
  var rows: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    rows[i] = min(m0 + SUBGROUP * i + lane, p.M - 1) * p.aRow + begin(z, p.aBatch);
  }

  for (var k = 0u; k < K; k++) {
    if (IN_BLOCKS && k % BLOCK == 0) { endBlock(); }
    let at = k * p.bRow + cols;
    let columns = vec4f(f32(b[at.x]), f32(b[at.y]), f32(b[at.z]), f32(b[at.w]));
    for (var i = 0u; i < BLOCKS; i++) {
      addRows(SUBGROUP * i, f32(a[rows[i] + k * p.aCol]), columns);
    }
  }

  if (IN_BLOCKS) { endBlock(); }
  let count = min(ROWS, p.M - m0);
  for (var i = 0u; i < count; i++) {
    for (var j = 0u; j < 4; j++) {
      let at = (z * p.M + m0 + i) * p.N + n[j];
      if (n[j] < p.N) { y[at] = Elem(epilogue(result(i)[j], at, n[j])); }
    }
  }
}
