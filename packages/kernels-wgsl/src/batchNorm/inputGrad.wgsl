// In training, where x̂ = (x − mean) / √(variance + eps) depends on x through its statistics too,
//   dx[m, c] = (dy[m, c] − dbeta[c] / M − x̂[m, c] · dgamma[c] / M) · gamma[c] / √(variance[c] + eps)
// and in evaluation the same without the two sums. An invocation walks down LANES channels of DEPTH rows.
//
//   x dy dx  [M, C]     mean variance gamma beta  [C]     sums  [2, C]: dgamma, dbeta
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / LANES / THREADS))

alias Elem = f32;
const TRAINING: bool = true;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const LANES: u32 = 1;
alias Value = f32;        // LANES values
alias Stored = Elem;      // LANES elements

// The slope of normalize's epilogue, where its argument was y.
fn slope(y: Value) -> Value { return Value(1); }

struct Params { M: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read> mean: array<Value>;
@group(0) @binding(3) var<storage, read> variance: array<Value>;
@group(0) @binding(4) var<storage, read> gamma: array<Value>;
@group(0) @binding(5) var<storage, read> beta: array<Value>;
@group(0) @binding(6) var<storage, read> sums: array<Value>;
@group(0) @binding(7) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / LANES;
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  let c = at % columns;
  let first = at / columns * DEPTH;
  if (first >= p.M) { return; }
  let shift = mean[c];
  let rstd = inverseSqrt(variance[c] + p.eps);
  let g = gamma[c];
  let b = beta[c];
  let dgamma = sums[c] / f32(p.M);
  let dbeta = sums[columns + c] / f32(p.M);
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    let normal = (Value(x[i]) - shift) * rstd;
    var d = Value(dy[i]) * slope(normal * g + b);
    if (TRAINING) { d -= dbeta + normal * dgamma; }
    dx[i] = Stored(d * (g * rstd));
  }
}
