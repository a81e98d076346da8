// y[m, c] = epilogue((x[m, c] − mean[c]) · gamma[c] / √(variance[c] + eps) + beta[c]), by the batch's own statistics
// running = (1 − momentum) · running + momentum · batch, where the variance is divided by M − 1
//
// A workgroup normalizes COLUMNS columns of LANES channels of THREADS / COLUMNS · DEPTH rows. Each finishes the statistics
// of its channels, as `finishMoments` does; those of the first rows store them.
//
//   x y  [M, C]     statistics  [2, C]: mean, variance
//   partial  [splits + 1, 2, C]: gamma, beta; then of each chunk mean[c] − x[0, c], m2
//   running  bits of the running mean [C] from 0 on, of the running variance [C] from varianceAt on, and a count at batchesAt
//   dispatch  spread(ceil(M / (THREADS / COLUMNS · DEPTH)) · ceil(C / LANES / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const DEPTH: u32 = 8;
const LANES: u32 = 1;
alias V = f32;            // LANES values
alias Stored = Elem;      // LANES elements
alias Bits = u32;         // those of LANES values
const TRACK: bool = true;    // otherwise the running statistics are left alone

// Applied to what is stored: LANES values, the first of them y[i], in channel o. e0 and e1 hold
// operands of y's shape, or one value a channel.
// = epilogueOfVectors
alias E0 = f32;
alias E1 = f32;
alias Stored0 = E0;       // LANES elements
alias Stored1 = E1;
fn epilogue(value: V, i: u32, o: u32) -> V { return value; }
fn magnitude(value: V) -> Bits { return bitcast<Bits>(value) & Bits(0x7fffffffu); }
fn dense0(i: u32) -> V { return V(e0[i / LANES]); }
fn dense1(i: u32) -> V { return V(e1[i / LANES]); }
fn channel0(o: u32) -> V { return V(e0[o / LANES]); }
fn channel1(o: u32) -> V { return V(e1[o / LANES]); }
// = end

struct Params {
  M: u32, C: u32, splits: u32, chunk: u32,
  varianceAt: u32, batchesAt: u32, momentum: f32, eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> partial: array<V>;
@group(0) @binding(2) var<storage, read> e0: array<Stored0>;
@group(0) @binding(3) var<storage, read> e1: array<Stored1>;
@group(0) @binding(4) var<storage, read_write> y: array<Stored>;
@group(0) @binding(5) var<storage, read_write> statistics: array<V>;
@group(0) @binding(6) var<storage, read_write> running: array<Bits>;
@group(0) @binding(7) var<uniform> p: Params;

var<workgroup> values: array<V, THREADS>;

// The sum over the invocations of a column, for each of them.
fn total(thread: u32, value: V) -> V {
  values[thread] = value;
  workgroupBarrier();
  for (var half = THREADS / 2; half >= COLUMNS; half >>= 1) {
    if (thread < half) { values[thread] += values[thread + half]; }
    workgroupBarrier();
  }
  let result = values[thread % COLUMNS];
  workgroupBarrier();
  return result;
}

fn follow(at: u32, value: V) {
  let before = bitcast<V>(running[at]);
  running[at] = bitcast<Bits>(before + p.momentum * (value - before));
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / LANES;
  let tiles = (columns + COLUMNS - 1) / COLUMNS;
  let at = group.y * groups.x + group.x;
  let first = at / tiles * (THREADS / COLUMNS * DEPTH);
  if (first >= p.M) { return; }
  let c = at % tiles * COLUMNS + thread % COLUMNS;
  let row = thread / COLUMNS;
  let isInside = c < columns;
  // Channels beyond the last one repeat it, and store nothing.
  let own = min(c, columns - 1);

  var sum = V();
  for (var s = row; s < p.splits; s += THREADS / COLUMNS) {
    sum += partial[(2 * s + 2) * columns + own] * f32(min(p.chunk, p.M - s * p.chunk));
  }
  let beyond = total(thread, sum) / f32(p.M);
  var m2 = V();
  for (var s = row; s < p.splits; s += THREADS / COLUMNS) {
    let d = partial[(2 * s + 2) * columns + own] - beyond;
    m2 += partial[(2 * s + 3) * columns + own] + d * d * f32(min(p.chunk, p.M - s * p.chunk));
  }
  m2 = total(thread, m2);
  if (!isInside) { return; }
  let origin = V(x[own]);
  let mean = origin + beyond;
  let variance = m2 / f32(p.M);
  if (first == 0 && row == 0) {
    statistics[c] = mean;
    statistics[columns + c] = variance;
    if (TRACK) {
      follow(c, mean);
      follow(p.varianceAt / LANES + c, m2 / f32(p.M - 1));
      if (c == 0) { running[p.batchesAt / LANES] += Bits(1); }
    }
  }
  let scale = partial[c] * inverseSqrt(variance + p.eps);
  let offset = partial[columns + c];
  let end = min(first + THREADS / COLUMNS * DEPTH, p.M);
  for (var m = first + row; m < end; m += THREADS / COLUMNS) {
    let i = m * columns + c;
    // Not x − mean, which rounds a mean far from zero.
    y[i] = Stored(epilogue((V(x[i]) - origin - beyond) * scale + offset, i * LANES, c * LANES));
  }
}
