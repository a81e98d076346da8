// Rows of logits against the class that each should be, with the target t = (1 − ε) · onehot + ε / C:
//   loss[n] = − Σ t[c] · log softmax(x[n])[c],   dx[n, c] = scale · (softmax(x[n])[c] − t[c])
// where a label is no class, both are NaN.
//
// A workgroup walks along one row, its invocations side by side.
//
//   x dx  [N, C], dx only with GRADIENT     labels loss  [N]
//   dispatch  spread(N)

alias Elem = f32;
const GRADIENT: bool = true;
const THREADS: u32 = 128;

struct Params { N: u32, C: u32, smoothing: f32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> p: Params;

var<workgroup> values: array<f32, THREADS>;

// The largest in the workgroup, for each of its invocations.
fn largest(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] = max(values[thread], values[thread + half]); }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

// The sum over the workgroup, for each of its invocations.
fn total(thread: u32, value: f32) -> f32 {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half > 0; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  let result = values[0];
  workgroupBarrier();
  return result;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.y * groups.x + group.x;
  if (row >= p.N) { return; }
  let first = row * p.C;
  let label = labels[row];

  var m = f32(x[first]);
  for (var c = thread; c < p.C; c += THREADS) { m = max(m, f32(x[first + c])); }
  m = largest(thread, m);
  var sum = 0.0;
  var mean = 0.0;
  for (var c = thread; c < p.C; c += THREADS) {
    let logit = f32(x[first + c]) - m;
    sum += exp(logit);
    mean += logit / f32(p.C);
  }
  sum = total(thread, sum);
  mean = total(thread, mean);
  // WGSL has no NaN to write down, but any of its bits with these is one.
  let nan = bitcast<f32>(label | 0x7fc00000u);
  let known = label < p.C;
  if (thread == 0) {
    let logit = f32(x[first + min(label, p.C - 1)]) - m;
    var expected = (1 - p.smoothing) * logit;
    if (p.smoothing > 0) { expected += p.smoothing * mean; }    // which a class of -∞ makes -∞
    loss[row] = select(nan, log(sum) - expected, known);
  }

  if (GRADIENT) {
    let each = select(nan, p.smoothing / f32(p.C), known);
    for (var c = thread; c < p.C; c += THREADS) {
      let t = each + select(0, 1 - p.smoothing, c == label);
      dx[first + c] = p.scale * (exp(f32(x[first + c]) - m) / sum - t);
    }
  }
}
