// For each chunk of rows:  mean[c] = Σ x[m, c] / n,  m2[c] = Σ (x[m, c] − mean[c])²
//
// An invocation walks down WIDTH channels of one chunk. Its sums are relative to the chunk's
// first row, and the mean to the first row of all, so that one far from zero costs no digits of the
// deviation: shifted data (Chan, Golub & LeVeque 1983), without the division per row of Welford (1962).
//
//   x  [M, C]     partial  [splits, 2, C]: mean[c] − x[0, c], m2     chunk s is the rows from s·chunk on
//   dispatch  spread(ceil(splits · C / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const WIDTH: u32 = 1;
alias Vec = f32;            // WIDTH values
alias StoredVec = Elem;     // WIDTH elements

struct Params { M: u32, C: u32, splits: u32, chunk: u32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read_write> partial: array<Vec>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (at >= p.splits * columns) { return; }
  let c = at % columns;
  let s = at / columns;
  let first = s * p.chunk;
  let rows = min(p.chunk, p.M - first);

  var k = first * columns + c;
  let end = k + rows * columns;
  let shift = Vec(x[k]);
  var sum = Vec();
  var squares = Vec();
  for (; k < end; k += columns) {
    let d = Vec(x[k]) - shift;
    sum += d;
    squares += d * d;
  }
  let mean = sum / f32(rows);
  partial[2 * s * columns + c] = shift - Vec(x[c]) + mean;
  let left = squares - sum * mean;
  partial[(2 * s + 1) * columns + c] = left + max(-left, Vec());    // no NaN: none is lost, the addition keeps it
}
