// y[m, c] = epilogue((x[m, c] − mean[c]) · gamma[c] / √(variance[c] + eps) + beta[c])
//
// With a batch's statistics in training, with the running ones in evaluation. An invocation walks
// down WIDTH channels of DEPTH rows.
//
//   x y  [M, C]     mean variance gamma beta  [C]
//   dispatch  spread(ceil(ceil(M / DEPTH) · C / WIDTH / THREADS))

alias Elem = f32;
const THREADS: u32 = 64;
const DEPTH: u32 = 16;
const WIDTH: u32 = 1;
alias Vec = f32;          // WIDTH values
alias Bits = u32;         // those of WIDTH values
alias StoredVec = Elem;   // WIDTH elements

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

struct Params { M: u32, C: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<StoredVec>;
@group(0) @binding(1) var<storage, read> mean: array<Vec>;
@group(0) @binding(2) var<storage, read> variance: array<Vec>;
@group(0) @binding(3) var<storage, read> gamma: array<Vec>;
@group(0) @binding(4) var<storage, read> beta: array<Vec>;
@group(0) @binding(5) var<storage, read> e0: array<StoredVec0>;
@group(0) @binding(6) var<storage, read> e1: array<StoredVec1>;
@group(0) @binding(7) var<storage, read_write> y: array<StoredVec>;
@group(0) @binding(8) var<uniform> p: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) wg: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let columns = p.C / WIDTH;
  let at = (wg.y * grid.x + wg.x) * THREADS + thread;
  let c = at % columns;
  let first = at / columns * DEPTH;
  if (first >= p.M) { return; }
  let shift = mean[c];
  let scale = gamma[c] * inverseSqrt(variance[c] + p.eps);
  let offset = beta[c];
  let end = min(first + DEPTH, p.M) * columns;
  for (var i = first * columns + c; i < end; i += columns) {
    y[i] = StoredVec(epilogue((Vec(x[i]) - shift) * scale + offset, i * WIDTH, c * WIDTH));
  }
}
