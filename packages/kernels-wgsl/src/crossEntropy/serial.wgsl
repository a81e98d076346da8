// Rows of logits against the class that each should be, with the target t[c] = ε / C, and 1 − ε more where c is the label:
//   loss[n] = − Σ weights[c] · t[c] · log softmax(x[n])[c],   dx = scale · ∂loss / ∂x,   rowWeights[n] = weights[label]
// All of them are 0 where the label is `ignored`, and NaN where it is no class.
//
// An invocation walks along one row alone.
//
//   x dx  [N, C], dx only with GRADIENT     labels loss  [N]
//   weights  [C], 1 without WEIGHTED     rowWeights  [N], only with WEIGHTED or IGNORING
//   dispatch  spread(ceil(N / THREADS))

alias Elem = f32;
const GRADIENT: bool = true;
const WEIGHTED: bool = false;
const IGNORING: bool = false;
const SHORT: bool = false;    // rows of 16 classes at most: one block, and half as much to compile
const THREADS: u32 = 64;
alias Sum = vec3f;        // e^(x − m) · weighted x − m · weights; the last two for smoothing alone

struct Params { N: u32, C: u32, smoothing: f32, scale: f32, ignored: u32 }

@group(0) @binding(0) var<storage, read> x: array<Elem>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> weights: array<f32>;
@group(0) @binding(3) var<storage, read_write> loss: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> rowWeights: array<f32>;
@group(0) @binding(6) var<uniform> p: Params;

// = isNan
// By the bits: a compiler may take x != x for false.
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn exponential(x: f32) -> f32 { return select(exp(x), x, isNan(x)); }
// = end
fn logarithm(x: f32) -> f32 { return select(log(x), x, isNan(x)); }
fn larger(a: f32, b: f32) -> f32 { return select(max(a, b), a + b, isNan(a) || isNan(b)); }

fn weightOf(c: u32) -> f32 {
  if (WEIGHTED) { return weights[c]; }
  return 1;
}

// = addend
fn addend(k: u32, m: f32) -> Sum {
  let logit = f32(x[k]) - m;
  var sum = vec3f(exponential(logit), 0, 0);
  // A class of −∞ makes its product −∞, or NaN where the weight is 0.
  if (p.smoothing > 0) {
    let weight = weightOf(k % p.C);
    sum = vec3f(sum.x, weight * logit, weight);
  }
  return sum;
}
// = end

// = pairwise
// Σ addend(k, m) over every step-th k. Blocks are added up as a binary counter counts, each to one of as many terms, so
// that rounding grows with the logarithm of the length.
fn pairwise(first: u32, end: u32, step: u32, m: f32) -> Sum {
  var sums = array<Sum, 32>();    // one for each bit of `count`
  var count = 0u;
  for (var start = first; start < end; start += 16 * step) {
    let stop = min(start + 16 * step, end);
    var sum = Sum();
    for (var k = start; k < stop; k += step) { sum += addend(k, m); }
    var level = 0u;
    for (; ((count >> level) & 1u) == 1u; level++) { sum += sums[level]; }
    sums[level] = sum;
    count++;
  }
  var total = Sum();
  for (var level = 0u; (count >> level) > 0u; level++) {
    if (((count >> level) & 1u) == 1u) { total += sums[level]; }
  }
  return total;
}
// = end

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = (wg.y * grid.x + wg.x) * THREADS + thread;
  if (row >= p.N) { return; }
  let first = row * p.C;
  let label = labels[row];

  var m = f32(x[first]);
  for (var c = 1u; c < p.C; c++) { m = larger(m, f32(x[first + c])); }
  var sum = Sum();
  if (SHORT) {
    for (var k = first; k < first + p.C; k++) { sum += addend(k, m); }
  } else {
    sum = pairwise(first, first + p.C, 1, m);
  }
  // WGSL has no NaN to write down, but any of its bits with these is one.
  let nan = bitcast<f32>(label | 0x7fc00000u);
  let counts = !(IGNORING && label == p.ignored);
  let known = label < p.C;
  let nearest = min(label, p.C - 1);
  let own = (1 - p.smoothing) * weightOf(nearest);
  let each = p.smoothing / f32(p.C);
  let logSum = logarithm(sum.x);
  var value = own * (logSum - (f32(x[first + nearest]) - m));
  if (p.smoothing > 0) { value += each * (sum.z * logSum - sum.y); }
  loss[row] = select(select(nan, value, known), 0, !counts);
  if (WEIGHTED || IGNORING) { rowWeights[row] = select(0, weightOf(nearest), counts); }

  if (GRADIENT) {
    let all = own + each * select(0, sum.z, p.smoothing > 0);
    for (var c = 0u; c < p.C; c++) {
      let wanted = each * weightOf(c) + select(0, own, c == label);
      let slope = p.scale * (all * exponential(f32(x[first + c]) - m) / sum.x - wanted);
      dx[first + c] = select(select(nan, slope, known), 0, !counts);
    }
  }
}
