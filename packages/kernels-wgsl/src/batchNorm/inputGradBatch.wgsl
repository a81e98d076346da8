// dgamma[c] = Σ dy · x̂,   dbeta[c] = Σ dy,   and, as x̂ = (x − mean) / √(variance + eps) depends on x through its
// statistics too,
//   dx[m, c] = epilogue((dy[m, c] − dbeta[c] / M − x̂[m, c] · dgamma[c] / M) · gamma[c] / √(variance[c] + eps))
//
// A workgroup takes COLUMNS columns of WIDTH channels of THREADS / COLUMNS · DEPTH rows. Each finishes the sums of its
// channels; those of the first rows store them.
//
//   x dy dx  [M, C]     dgamma dbeta  [C]
//   partial  [splits + 2, 2, C]: mean, 1 / √(variance + eps); gamma / √(variance + eps), 0; then of each chunk both sums
//   dispatch  spread(ceil(M / (THREADS / COLUMNS · DEPTH)) · ceil(C / WIDTH / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const DEPTH: u32 = 8;
const WIDTH: u32 = 1;
alias Vec = f32;          // WIDTH values
alias Bits = u32;         // those of WIDTH values
alias StoredVec = Elem;   // WIDTH elements

// Applied to each result before it is stored: WIDTH values, the first for dx[at], in `channel`. e0 and e1 hold
// operands of dx's shape, or one value a channel.
// = epilogueOfVectors
alias E0 = f32;
alias E1 = f32;
alias StoredVec0 = E0;       // WIDTH elements
alias StoredVec1 = E1;
fn epilogue(value: Vec, at: u32, channel: u32) -> Vec { return value; }
fn magnitude(value: Vec) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(at: u32) -> Vec { return Vec(e0[at / WIDTH]); }
fn dense1(at: u32) -> Vec { return Vec(e1[at / WIDTH]); }
fn channel0(channel: u32) -> Vec { return Vec(e0[channel / WIDTH]); }
fn channel1(channel: u32) -> Vec { return Vec(e1[channel / WIDTH]); }
// = end

struct Params { M: u32, C: u32, splits: u32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> dy: array<StoredVec>;
@group(0) @binding(2) var<storage, read> partial: array<Vec>;
@group(0) @binding(3) var<storage, read> e0: array<StoredVec0>;
@group(0) @binding(4) var<storage, read> e1: array<StoredVec1>;
@group(0) @binding(5) var<storage, read_write> dx: array<StoredVec>;
@group(0) @binding(6) var<storage, read_write> dgamma: array<Vec>;
@group(0) @binding(7) var<storage, read_write> dbeta: array<Vec>;
@group(0) @binding(8) var<uniform> p: Params;

var<workgroup> products: array<Vec, THREADS>;
var<workgroup> sums: array<Vec, THREADS>;

// = rowsOfTile
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let tiles = (columns + COLUMNS - 1) / COLUMNS;
  let at = wg.y * grid.x + wg.x;
  let first = at / tiles * (THREADS / COLUMNS * DEPTH);
  if (first >= p.M) { return; }
  let c = at % tiles * COLUMNS + thread % COLUMNS;
  let row = thread / COLUMNS;
  let isInside = c < columns;
// = end

  var product = Vec();
  var sum = Vec();
  if (isInside) {
    for (var s = row; s < p.splits; s += THREADS / COLUMNS) {
      product += partial[(2 * s + 4) * columns + c];
      sum += partial[(2 * s + 5) * columns + c];
    }
  }
  // = treeOfGradients
  products[thread] = product;
  sums[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2; half >= COLUMNS; half >>= 1) {
    if (thread < half) {
      products[thread] += products[thread + half];
      sums[thread] += sums[thread + half];
    }
    workgroupBarrier();
  }
  // = end
  if (!isInside) { return; }
  product = products[thread % COLUMNS];
  sum = sums[thread % COLUMNS];
  if (first == 0 && row == 0) {
    dgamma[c] = product;
    dbeta[c] = sum;
  }
  let mean = partial[c];
  let scale = partial[2 * columns + c];
  let pull = scale * partial[columns + c] * product / f32(p.M);
  let offset = scale * sum / f32(p.M);
  let end = min(first + THREADS / COLUMNS * DEPTH, p.M);
  for (var m = first + row; m < end; m += THREADS / COLUMNS) {
    let i = m * columns + c;
    let d = Vec(dy[i]) * scale - offset - (Vec(x[i]) - mean) * pull;
    dx[i] = StoredVec(epilogue(d, i * WIDTH, c * WIDTH));
  }
}
