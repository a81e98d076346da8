enable subgroups;
// y[z, m, n] = epilogue(Σ_k  a[z, m, k] · b[z, k, n])
//
// For CPU rasterisers, where four values cost a lane as much to fetch as eight multiplications, and
// a barrier more. One subgroup is a workgroup and keeps ROWS rows × COLS columns in registers. For
// four k at a time its lanes fetch each value of the operands once, by fours; those of a row then
// reach all lanes by shuffling. A row's four k are added at once, so that its sum travels to and
// from memory once.
//
//   a b  by strides that are multiples of 4, and 1 along one axis: which one, the holes say
//   y    [batch, M, N], dense, row-major; N a multiple of 4
//   dispatch  batch · ceil(M / ROWS) · ceil(N / COLS) spread over x and y

alias Elem = f32;
alias StoredVec = vec4<Elem>;
const A_COLUMNS: bool = false; // a is contiguous along m, otherwise along k
const B_COLUMNS: bool = false; // b is contiguous along k, otherwise along n
const SUBGROUP: u32 = 8;       // invocations in a subgroup: 8 or 4
const ACROSS: u32 = 8;         // lanes across, each with four columns; SUBGROUP / ACROSS rows of lanes down
const BLOCKS: u32 = 2;         // rows that each lane fetches
const ROWS = SUBGROUP * BLOCKS;
const COLS = ACROSS * 4;
const BLOCK: u32 = 4096;       // k that are summed in sequence
const IN_BLOCKS: bool = true;  // false where all k are one block: a third less to compile
const SUMS = ACROSS * BLOCKS;

// Applied to each result before it is stored: four values at a time, the first for y[at], in `channel`. e0 and e1 hold
// operands of y's shape, or one value a channel.
// = epilogueOfTexels
alias Vec = vec4f;
alias Bits = vec4u;
alias E0 = f32;
alias E1 = f32;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return textureLoad(e0, place(TEXELS_PER_ROW + at / 4)); }
fn dense1(at: u32) -> Vec { return textureLoad(e1, place(TEXELS_PER_ROW + at / 4)); }
fn channel0(channel: u32) -> Vec { return textureLoad(e0, place(TEXELS_PER_ROW + channel / 4)); }
fn channel1(channel: u32) -> Vec { return textureLoad(e1, place(TEXELS_PER_ROW + channel / 4)); }
// = end

// Batches have up to 4 axes, last one first: their sizes, and the strides of a and b along them.
// = productParams
struct Params {
  batch: vec4u, aBatch: vec4u, bBatch: vec4u,
  M: u32, N: u32, K: u32,
  aRow: u32, aCol: u32, bRow: u32, bCol: u32,
}
// = end

alias Texels = texture_storage_2d<rgba32float, read>;
alias Texels0 = texture_storage_2d<rgba32float, read>;
alias Texels1 = texture_storage_2d<rgba32float, read>;
@group(0) @binding(0) var a: Texels;
@group(0) @binding(1) var b: Texels;
@group(0) @binding(2) var e0: Texels0;
@group(0) @binding(3) var e1: Texels1;
@group(0) @binding(4) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(5) var<uniform> p: Params;

// The elements of an operand, by fours, come after TEXELS_PER_ROW texels of zeros.
const TEXELS_PER_ROW: u32 = 4096;
fn place(i: u32) -> vec2u { return vec2u(i % TEXELS_PER_ROW, i / TEXELS_PER_ROW); }

// First element of batch z of an operand with these strides.
fn begin(z: u32, strides: vec4u) -> u32 {
  let at = vec4u(z, z / p.batch.x, z / (p.batch.x * p.batch.y), z / (p.batch.x * p.batch.y * p.batch.z));
  let steps = at % p.batch * strides;
  return 4 * TEXELS_PER_ROW + steps.x + steps.y + steps.z + steps.w;
}

var<private> sum: array<vec4f, SUMS>;    // four columns of each row, of this block of k
var<private> total: array<vec4f, SUMS>;

// Add four k of row i, whose values `own` have reached all lanes that need them.
fn add(i: u32, own: vec4f, b: mat4x4f) {
  sum[i] = sum[i] + own.x * b[0] + own.y * b[1] + own.z * b[2] + own.w * b[3];
}

// Add four k of four rows, which lanes from `first` on hold: one row each, or one k.
fn addFour(i: u32, own: vec4f, first: u32, b: mat4x4f) {
  var rows = mat4x4f(
    subgroupShuffle(own, first),
    subgroupShuffle(own, first + 1),
    subgroupShuffle(own, first + 2),
    subgroupShuffle(own, first + 3),
  );
  if (A_COLUMNS) { rows = transpose(rows); }
  add(i, rows[0], b);
  add(i + 1, rows[1], b);
  add(i + 2, rows[2], b);
  add(i + 3, rows[3], b);
}

fn endBlock() {
  for (var i = 0u; i < SUMS; i++) {
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
  // The larger operand is read once, the smaller one again and again.
  let rowsFirst = p.N > p.M;
  let inner = select(across, down, rowsFirst);
  let inBatch = tile - z * across * down;
  let outer = inBatch / inner;
  let rest = inBatch - outer * inner;
  let m0 = select(outer, rest, rowsFirst) * ROWS;
  let part = lane / ACROSS * ACROSS;    // of the lanes
  let n = select(rest, outer, rowsFirst) * COLS + 4 * (lane - part);    // the first of this lane's four columns
  let column = min(n, p.N - 4);
  let K = p.K;

  // Rows and columns beyond the edge repeat the last ones, and are not stored.
  var aAt: array<u32, BLOCKS>;
  let aBegin = begin(z, p.aBatch);
  for (var i = 0u; i < BLOCKS; i++) {
    let m = m0 + SUBGROUP * i;
    if (A_COLUMNS) {
      aAt[i] = (aBegin + min(m + lane / 4 * 4, p.M - 4) + lane % 4 * p.aCol) / 4;
    } else {
      aAt[i] = (aBegin + min(m + lane, p.M - 1) * p.aRow) / 4;
    }
  }
  let aStep = select(1, p.aCol, A_COLUMNS);
  let bBegin = begin(z, p.bBatch);
  var bAt = vec4u(0, 1, 2, 3) * (p.bRow / 4) + (bBegin + column) / 4;
  var bStep = p.bRow;
  if (B_COLUMNS) {
    bAt = ((column + vec4u(0, 1, 2, 3)) * p.bCol + bBegin) / 4;
    bStep = 1;
  }

  for (var k = 0u; k < K; k += 4) {
    if (IN_BLOCKS && k % BLOCK == 0) { endBlock(); }
    var rows = mat4x4f(
      textureLoad(b, place(bAt.x)),
      textureLoad(b, place(bAt.y)),
      textureLoad(b, place(bAt.z)),
      textureLoad(b, place(bAt.w)),
    );
    if (B_COLUMNS) { rows = transpose(rows); }
    for (var i = 0u; i < BLOCKS; i++) {
      let v = textureLoad(a, place(aAt[i]));
      addFour(ACROSS * i, v, part, rows);
      if (ACROSS == 8) { addFour(ACROSS * i + 4, v, part + 4, rows); }
      aAt[i] += aStep;
    }
    bAt += bStep;
  }

  if (IN_BLOCKS) { endBlock(); }
  // Downwards, so that no driver unrolls it: each copy of a store takes long to compile.
  for (var i = min(SUMS, p.M - m0); i > 0; i--) {
    let j = i - 1;
    let tier = j / ACROSS;
    let m = m0 + SUBGROUP * tier + part + j - ACROSS * tier;
    let at = (z * p.M + m) * p.N + n;
    if (m < p.M && n < p.N) { y[at / 4] = StoredVec(epilogue(result(j), at, n)); }
  }
}
