// y[m, c] = epilogue((x[m, c] − mean[c]) · gamma[c] / √(variance[c] + eps) + beta[c])
//
// With a batch's statistics in training, with the running ones in evaluation. An invocation walks
// down LANES channels of DEPTH rows.
//
//   x y  [M, C]     mean variance gamma beta  [C]
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / LANES / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const LANES: u32 = 1;
alias Value = f32;        // LANES values
alias Stored = Elem;      // LANES elements

// Applied to each output before it is stored, as element i of y.
fn epilogue(value: Value, i: u32) -> Value { return value; }

struct Params { M: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> mean: array<Value>;
@group(0) @binding(2) var<storage, read> variance: array<Value>;
@group(0) @binding(3) var<storage, read> gamma: array<Value>;
@group(0) @binding(4) var<storage, read> beta: array<Value>;
@group(0) @binding(5) var<storage, read_write> y: array<Stored>;
@group(0) @binding(6) var<uniform> p: Params;

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
  let scale = gamma[c] * inverseSqrt(variance[c] + p.eps);
  let offset = beta[c];
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    y[i] = Stored(epilogue((Value(x[i]) - shift) * scale + offset, i));
  }
}
