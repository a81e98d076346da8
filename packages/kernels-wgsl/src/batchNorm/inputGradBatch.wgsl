// dgamma[c] = Σ dy · x̂,   dbeta[c] = Σ dy,   and, as x̂ = (x − mean) / √(variance + eps) depends on x through its
// statistics too,
//   dx[m, c] = epilogue((dy[m, c] − dbeta[c] / M − x̂[m, c] · dgamma[c] / M) · gamma[c] / √(variance[c] + eps))
//
// A workgroup takes COLUMNS columns of LANES channels of THREADS / COLUMNS · DEPTH rows. Each finishes the sums of its
// channels; those of the first rows store them.
//
//   x dy dx  [M, C]     dgamma dbeta  [C]
//   partial  [splits + 2, 2, C]: mean, 1 / √(variance + eps); gamma / √(variance + eps), 0; then of each chunk both sums
//   dispatch  spread(ceil(M / (THREADS / COLUMNS · DEPTH)) · ceil(C / LANES / COLUMNS))

alias Elem = f32;
const THREADS: u32 = 256;
const COLUMNS: u32 = 16;
const DEPTH: u32 = 8;
const LANES: u32 = 1;
alias V = f32;            // LANES values
alias Bits = u32;         // those of LANES values
alias Stored = Elem;      // LANES elements

// Applied to what is stored: LANES values, the first of them dx[i], in channel o. e0 and e1 hold
// operands of dx's shape, or one value a channel.
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

struct Params { M: u32, C: u32, splits: u32, chunk: u32 }

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> dy: array<Stored>;
@group(0) @binding(2) var<storage, read> partial: array<V>;
@group(0) @binding(3) var<storage, read> e0: array<Stored0>;
@group(0) @binding(4) var<storage, read> e1: array<Stored1>;
@group(0) @binding(5) var<storage, read_write> dx: array<Stored>;
@group(0) @binding(6) var<storage, read_write> dgamma: array<V>;
@group(0) @binding(7) var<storage, read_write> dbeta: array<V>;
@group(0) @binding(8) var<uniform> p: Params;

var<workgroup> products: array<V, THREADS>;
var<workgroup> sums: array<V, THREADS>;

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

  var product = V();
  var sum = V();
  if (isInside) {
    for (var s = row; s < p.splits; s += THREADS / COLUMNS) {
      product += partial[(2 * s + 4) * columns + c];
      sum += partial[(2 * s + 5) * columns + c];
    }
  }
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
  if (!isInside) { return; }
  product = products[thread % COLUMNS];
  sum = sums[thread % COLUMNS];
  if (first == 0 && row == 0) {
    dgamma[c] = product;
    dbeta[c] = sum;
  }
  let mean = partial[c];
  let scale = partial[2 * columns + c];
  let pull = scale * partial[columns + c] * product / f32(p.M);
  let offset = scale * sum / f32(p.M);
  let end = min(first + THREADS / COLUMNS * DEPTH, p.M);
  for (var m = first + row; m < end; m += THREADS / COLUMNS) {
    let i = m * columns + c;
    let d = V(dy[i]) * scale - offset - (V(x[i]) - mean) * pull;
    dx[i] = Stored(epilogue(d, i * LANES, c * LANES));
  }
}
