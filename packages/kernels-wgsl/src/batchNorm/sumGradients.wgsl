// For each chunk of rows:  Σ dy[m, c] · (x[m, c] − mean[c]) / √(variance[c] + eps)  and  Σ dy[m, c]
//
// An invocation walks down WIDTH channels of one chunk.
//
//   x dy  [M, C]     mean variance  [C]     partial  [splits, 2, C]: dgamma, dbeta
//   dispatch  spread(ceil(splits · C / WIDTH / THREADS)); chunk s is the rows from s·chunk on

alias Elem = f32;
const THREADS: u32 = 64;
const WIDTH: u32 = 1;
alias Vec = f32;            // WIDTH values
alias StoredVec = Elem;     // WIDTH elements

struct Params { M: u32, C: u32, splits: u32, chunk: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> dy: array<StoredVec>;
@group(0) @binding(2) var<storage, read> mean: array<Vec>;
@group(0) @binding(3) var<storage, read> variance: array<Vec>;
@group(0) @binding(4) var<storage, read_write> partial: array<Vec>;
@group(0) @binding(5) var<uniform> p: Params;

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
  let shift = mean[c];
  let rstd = inverseSqrt(variance[c] + p.eps);
  let end = min((s + 1) * p.chunk, p.M) * columns;

  var dgamma = Vec();
  var dbeta = Vec();
  for (var i = s * p.chunk * columns + c; i < end; i += columns) {
    let centred = Vec(x[i]) - shift;
    let d = Vec(dy[i]);
    dgamma += d * centred;
    dbeta += d;
  }
  partial[2 * s * columns + c] = dgamma * rstd;
  partial[(2 * s + 1) * columns + c] = dbeta;
}
