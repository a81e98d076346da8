// For each chunk of rows:  mean[c] = Σ x[m, c] / n,  m2[c] = Σ (x[m, c] − mean[c])²
//
// A workgroup sums COLUMNS columns of WIDTH channels of one chunk: THREADS / COLUMNS invocations walk down each column in
// strides, and a tree adds up what they found. Sums are relative to the chunk's first row, and the mean to the first row
// of all, so that a mean far from zero costs no digits of the deviation: shifted data (Chan, Golub & LeVeque 1983).
//
//   x  [M, C]     gamma beta  [C]     chunk s: rows s·chunk …
//   partial  [splits + 1, 2, C]: gamma, beta; then of each chunk mean[c] − x[0, c], m2
//   dispatch  spread(splits · ceil(C / WIDTH / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const WIDTH: u32 = 1;
alias Vec = f32;            // WIDTH values
alias StoredVec = Elem;     // WIDTH elements

struct Params { M: u32, C: u32, splits: u32, chunk: u32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> gamma: array<Vec>;
@group(0) @binding(2) var<storage, read> beta: array<Vec>;
@group(0) @binding(3) var<storage, read_write> partial: array<Vec>;
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> sums: array<Vec, THREADS>;
var<workgroup> squares: array<Vec, THREADS>;

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
  let first = s * p.chunk;
  let rows = min(p.chunk, p.M - first);

  var shift = Vec();
  var sum = Vec();
  var square = Vec();
  if (isInside) {
    shift = Vec(x[first * columns + c]);
    for (var m = row; m < rows; m += THREADS / COLUMNS) {
      let d = Vec(x[(first + m) * columns + c]) - shift;
      sum += d;
      square += d * d;
    }
  }
  sums[thread] = sum;
  squares[thread] = square;
  workgroupBarrier();
  for (var half = THREADS / 2; half >= COLUMNS; half >>= 1) {
    if (thread < half) {
      sums[thread] += sums[thread + half];
      squares[thread] += squares[thread + half];
    }
    workgroupBarrier();
  }
  if (row > 0 || !isInside) { return; }
  let mean = sums[thread] / f32(rows);
  partial[(2 * s + 2) * columns + c] = shift - Vec(x[c]) + mean;
  let left = squares[thread] - sums[thread] * mean;
  partial[(2 * s + 3) * columns + c] = left + max(-left, Vec());    // no NaN: none is lost, the addition keeps it
  if (s == 0) {
    partial[c] = gamma[c];
    partial[columns + c] = beta[c];
  }
}
