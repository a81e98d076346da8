// For each chunk of rows:  Σ dy[m, c] · (x[m, c] − mean[c]) / √(variance[c] + eps)  and  Σ dy[m, c]
//
// A workgroup sums COLUMNS columns of WIDTH channels of one chunk: THREADS / COLUMNS invocations walk down each column in
// strides, and a tree adds up what they found.
//
//   x dy  [M, C]     statistics  [2, C]: mean, variance     gamma  [C]     chunk s: rows s·chunk …
//   partial  [splits + 2, 2, C]: mean, 1 / √(variance + eps); gamma / √(variance + eps), 0; then of each chunk both sums
//   dispatch  spread(splits · ceil(C / WIDTH / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const WIDTH: u32 = 1;
alias Vec = f32;            // WIDTH values
alias StoredVec = Elem;     // WIDTH elements

struct Params { M: u32, C: u32, splits: u32, chunk: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> dy: array<StoredVec>;
@group(0) @binding(2) var<storage, read> statistics: array<Vec>;
@group(0) @binding(3) var<storage, read> gamma: array<Vec>;
@group(0) @binding(4) var<storage, read_write> partial: array<Vec>;
@group(0) @binding(5) var<uniform> p: Params;

var<workgroup> products: array<Vec, THREADS>;
var<workgroup> sums: array<Vec, THREADS>;

// = chunkOfTile
@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let tiles = (columns + COLUMNS - 1) / COLUMNS;
  let at = wg.y * grid.x + wg.x;
  let s = at / tiles;
  if (s >= p.splits) { return; }
  let c = at % tiles * COLUMNS + thread % COLUMNS;
  let row = thread / COLUMNS;
  let isInside = c < columns;
// = end
  let end = min((s + 1) * p.chunk, p.M);

  var mean = Vec();
  var product = Vec();
  var sum = Vec();
  if (isInside) {
    mean = statistics[c];
    for (var m = s * p.chunk + row; m < end; m += THREADS / COLUMNS) {
      let d = Vec(dy[m * columns + c]);
      product += d * (Vec(x[m * columns + c]) - mean);
      sum += d;
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
  if (row > 0 || !isInside) { return; }
  let rstd = inverseSqrt(statistics[columns + c] + p.eps);
  partial[(2 * s + 4) * columns + c] = products[thread] * rstd;
  partial[(2 * s + 5) * columns + c] = sums[thread];
  if (s == 0) {
    partial[c] = mean;
    partial[columns + c] = rstd;
    partial[2 * columns + c] = gamma[c] * rstd;
    partial[3 * columns + c] = Vec();
  }
}
