// y[m, c] = epilogue((x[m, c] − mean[c]) · gamma[c] / √(variance[c] + eps) + beta[c]), by the batch's own statistics
// running = (1 − momentum) · running + momentum · batch, where the variance is divided by M − 1
//
// A workgroup normalizes COLUMNS columns of WIDTH channels of THREADS / COLUMNS · DEPTH rows. Each finishes the statistics
// of its channels, as `finishMoments` does; those of the first rows store them.
//
//   x y  [M, C]     statistics  [2, C]: mean, variance
//   partial  [splits + 1, 2, C]: gamma, beta; then of each chunk mean[c] − x[0, c], m2; with BY_CHUNK the mean is relative to
//            the chunk's own first row, which is all that a convolution's tile knows
//   running  bits of the running mean [C] from 0 on, of the running variance [C] from varianceAt on, and a count at batchesAt
//   dispatch  spread(ceil(M / (THREADS / COLUMNS · DEPTH)) · ceil(C / WIDTH / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const DEPTH: u32 = 8;
const WIDTH: u32 = 1;
alias Vec = f32;             // WIDTH values
alias StoredVec = Elem;      // WIDTH elements
alias Bits = u32;            // those of WIDTH values
const TRACK: bool = true;    // otherwise the running statistics are left alone
const BY_CHUNK: bool = false;

// Applied to each result before it is stored: WIDTH values, the first for y[at], in `channel`. e0 and e1 hold
// operands of y's shape, or one value a channel.
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

struct Params {
  M: u32, C: u32, splits: u32, chunk: u32,
  varianceAt: u32, batchesAt: u32, momentum: f32, eps: f32,
}

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> partial: array<Vec>;
@group(0) @binding(2) var<storage, read> e0: array<StoredVec0>;
@group(0) @binding(3) var<storage, read> e1: array<StoredVec1>;
@group(0) @binding(4) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(5) var<storage, read_write> statistics: array<Vec>;
@group(0) @binding(6) var<storage, read_write> running: array<Bits>;
@group(0) @binding(7) var<uniform> p: Params;

var<workgroup> values: array<Vec, THREADS>;

// The sum over the invocations of a column, for each of them.
fn total(thread: u32, value: Vec) -> Vec {
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

fn follow(at: u32, value: Vec) {
  let before = bitcast<Vec>(running[at]);
  running[at] = bitcast<Bits>(before + p.momentum * (value - before));
}

// The mean of a chunk beyond the first row of all.
fn meanOf(s: u32, columns: u32, c: u32) -> Vec {
  let mean = partial[(2 * s + 2) * columns + c];
  if (BY_CHUNK) { return Vec(x[s * p.chunk * columns + c]) - Vec(x[c]) + mean; }
  return mean;
}

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
  // Channels beyond the last one repeat it, and store nothing.
  let own = min(c, columns - 1);

  // Chunks joined one by one, each read once (Chan, Golub and LeVeque 1979): a mean of n rows, and what is left of their squares.
  var n = 0.0;
  var joined = Vec();
  var m2 = Vec();
  for (var s = row; s < p.splits; s += THREADS / COLUMNS) {
    let rows = f32(min(p.chunk, p.M - s * p.chunk));
    let d = meanOf(s, columns, own) - joined;
    n += rows;
    let share = rows / n;
    joined += d * share;
    m2 += partial[(2 * s + 3) * columns + own] + d * d * ((n - rows) * share);
  }
  let beyond = total(thread, joined * n) / f32(p.M);
  let d = joined - beyond;
  m2 = total(thread, m2 + d * d * n);
  if (!isInside) { return; }
  let origin = Vec(x[own]);
  let mean = origin + beyond;
  let variance = m2 / f32(p.M);
  if (first == 0 && row == 0) {
    statistics[c] = mean;
    statistics[columns + c] = variance;
    if (TRACK) {
      follow(c, mean);
      follow(p.varianceAt / WIDTH + c, m2 / f32(p.M - 1));
      if (c == 0) { running[p.batchesAt / WIDTH] += Bits(1); }
    }
  }
  let scale = partial[c] * inverseSqrt(variance + p.eps);
  let offset = partial[columns + c];
  let end = min(first + THREADS / COLUMNS * DEPTH, p.M);
  for (var m = first + row; m < end; m += THREADS / COLUMNS) {
    let i = m * columns + c;
    // Not x − mean, which rounds a mean far from zero.
    y[i] = StoredVec(epilogue((Vec(x[i]) - origin - beyond) * scale + offset, i * WIDTH, c * WIDTH));
  }
}
