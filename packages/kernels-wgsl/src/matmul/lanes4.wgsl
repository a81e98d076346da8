enable subgroups;
// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// For CPU rasterisers, where four values cost a lane as much to load as twenty multiplications, and
// a barrier more. One subgroup is a workgroup and keeps ROWS rows × COLS columns in registers. For
// four k at a time its lanes load each value of the operands once, by fours; those of a row then
// reach all lanes by broadcast. A row's four k are added at once, so that its sum travels to and
// from memory once.
//
//   a b  by strides that are multiples of 4, and 1 along one axis: which one, the holes say
//   y    [batch, M, N], dense, row-major; N a multiple of 4
//   dispatch  batch · ceil(M / ROWS) · ceil(N / COLS) spread over x and y

alias Elem = f32;
alias Elem4 = vec4<Elem>;
const A_COLUMNS: bool = false;    // a is contiguous along m, otherwise along k
const B_COLUMNS: bool = false;    // b is contiguous along k, otherwise along n
const LANES: u32 = 8;     // invocations in a subgroup: 8 or 4
const BLOCKS: u32 = 3;    // rows that each lane loads
const ROWS = LANES * BLOCKS;
const COLS = LANES * 4;

// Applied to what is stored: four values at a time, the first of them y[i], in channel o. e0 and e1 hold
// operands of y's shape, or one value a channel.
alias V = vec4f;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: V, i: u32, o: u32) -> V { return value; }
fn dense0(i: u32) -> V { return V(e0[i / 4]); }
fn dense1(i: u32) -> V { return V(e1[i / 4]); }
fn channel0(o: u32) -> V { return V(e0[o / 4]); }
fn channel1(o: u32) -> V { return V(e1[o / 4]); }

// Batches have up to 4 axes, last one first: their sizes, and the strides of a and b along them.
struct Params {
  batch: vec4u, aBatch: vec4u, bBatch: vec4u,
  M: u32, N: u32, K: u32,
  aRow: u32, aCol: u32, bRow: u32, bCol: u32,
}

@group(0) @binding(0) var<storage, read> a: array<Elem4>;
@group(0) @binding(1) var<storage, read> b: array<Elem4>;
@group(0) @binding(2) var<storage, read> e0: array<vec4<E0>>;
@group(0) @binding(3) var<storage, read> e1: array<vec4<E1>>;
@group(0) @binding(4) var<storage, read_write> y: array<Elem4>;
@group(0) @binding(5) var<uniform> p: Params;

// Where batch z of an operand with these strides begins.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return steps.x + steps.y + steps.z + steps.w;
}

var<private> sum: array<vec4f, ROWS>;    // four columns of each row

// Add four k of row i, whose values `v` have reached all lanes.
fn add(i: u32, v: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + v.x * b[0] + v.y * b[1] + v.z * b[2] + v.w * b[3];
}

// Add four k of LANES rows. Lane l holds four k of row l; or k = l mod 4 of the rows from 4·⌊l / 4⌋.
fn addRows(i: u32, v: vec4f, b: mat4x4f) {
  if (A_COLUMNS) {
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
  } else {
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
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let across = (p.N + COLS - 1) / COLS;
  let down = (p.M + ROWS - 1) / ROWS;
  let tile = group.y * groups.x + group.x;
  let z = tile / (across * down);
  if (z >= p.batch.x * p.batch.y * p.batch.z * p.batch.w) { return; }
  let m0 = tile / across % down * ROWS;
  let n = tile % across * COLS + 4 * lane;    // the first of this lane's four columns
  let K = p.K;

  // Rows and columns beyond the edge repeat the last ones, and are not stored.
  var aAt: array<u32, BLOCKS>;
  for (var i = 0u; i < BLOCKS; i++) {
    let m = m0 + LANES * i;
    if (A_COLUMNS) {
      aAt[i] = (begin(z, p.aBatch) + min(m + lane / 4 * 4, p.M - 4) + lane % 4 * p.aCol) / 4;
    } else {
      aAt[i] = (begin(z, p.aBatch) + min(m + lane, p.M - 1) * p.aRow) / 4;
    }
  }
  let aStep = select(1, p.aCol, A_COLUMNS);
  let column = min(n, p.N - 4);
  var bAt = vec4u(0, 1, 2, 3) * (p.bRow / 4) + (begin(z, p.bBatch) + column) / 4;
  var bStep = p.bRow;
  if (B_COLUMNS) {
    bAt = ((column + vec4u(0, 1, 2, 3)) * p.bCol + begin(z, p.bBatch)) / 4;
    bStep = 1;
  }

  for (var k = 0u; k < K; k += 4) {
    var rows = mat4x4f(vec4f(b[bAt.x]), vec4f(b[bAt.y]), vec4f(b[bAt.z]), vec4f(b[bAt.w]));
    if (B_COLUMNS) { rows = transpose(rows); }
    for (var i = 0u; i < BLOCKS; i++) {
      addRows(LANES * i, vec4f(a[aAt[i]]), rows);
      aAt[i] += aStep;
    }
    bAt += bStep;
  }

  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(ROWS, p.M - m0); i > 0; i--) {
    let at = (z * p.M + m0 + i - 1) * p.N + n;
    if (n < p.N) { y[at / 4] = Elem4(epilogue(sum[i - 1], at, n)); }
  }
}
